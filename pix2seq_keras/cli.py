"""The `pix2seq` command: its flags are derived from typed functions and the recipe's dataclasses."""

import json
import os
import sys
import time
from pathlib import Path

import jsonargparse

from pix2seq_keras.benchmarks.conversion import measure_conversion
from pix2seq_keras.benchmarks.generation import measure_generation
from pix2seq_keras.benchmarks.profiling import profile_generation
from pix2seq_keras.categories import Categories
from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import evaluate_source
from pix2seq_keras.inference import open_model
from pix2seq_keras.models import Pix2Seq, published, published_presets
from pix2seq_keras.models.checkpoints import Checkpoint
from pix2seq_keras.models.files import save_model
from pix2seq_keras.training import Recipe, train
from pix2seq_keras.training import recipe as recipes
from pix2seq_keras.visualization.predictions import predict_pictures
from pix2seq_keras.writing import replacing, require_writable_folder, write_json

SHORT_FLAGS = {"--model": "--model.preset", "--weights": "--model.weights"}


def evaluate(
    model: str,
    split: str,
    data: str | None = None,
    json: str | None = None,
    max_images: int | None = None,
    batch_size: int = 32,
    max_objects: int | None = None,
    sampler: str = "top_p",
    constrained: bool = True,
    multi_label: bool | None = None,
    seed: int = 0,
):
    """Score a model on a split with pycocotools.

    Args:
        model: preset, run folder, preset folder or .keras file
        split: such as val or test
        data: data source, such as coco:DIR or digits; by default the run's own
        json: file for the result
        max_images: only so many pictures
        batch_size: pictures at once
        max_objects: objects to read out of a picture; by default as many as the model can
        sampler: greedy, top_k or top_p
        constrained: whether the grammar keeps every object well-formed
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        seed: of the sampling
    """
    detector = open_model(model)
    source = open_source(data or _data_of_run(model), split)
    options = {"max_objects": max_objects, "sampler": sampler, "constrained": constrained}
    options |= {"multi_label": multi_label, "seed": seed}
    target = Path(json) if json else None
    if target is not None:
        _check_writable(target)
    result, _ = evaluate_source(detector, source, batch_size, max_images, **options)
    for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100"):
        print(f"{name:6} {_shown(result[name])}")
    for name, scores in result["per_class"].items():
        print(f"  {name}: AP {_shown(scores['AP'])}, AP50 {_shown(scores['AP50'])}")
    print(f"{result['num_images']} pictures, {result['num_objects']} objects, {result['seconds']:.1f} s")
    if len(source.findings):
        print(f"{len(source.findings)} irregularities in {source.name} {source.split}:\n{source.findings.summary()}")
    if target is not None:
        write_json(target, result)


def predict(
    model: str,
    images: list[str],
    output: str,
    json: str | None = None,
    threshold: float = 0.5,
    batch_size: int = 8,
    max_objects: int | None = None,
    sampler: str = "top_p",
    constrained: bool = True,
    multi_label: bool | None = None,
    seed: int = 0,
):
    """Find objects in pictures, draw them, and write a COCO-style JSON.

    Args:
        model: preset, run folder, preset folder or .keras file
        images: pictures, or folders of them
        output: folder for the annotated PNGs and predictions.json
        json: another place for the JSON
        threshold: score from which a box is drawn and written
        batch_size: pictures at once
        max_objects: objects to read out of a picture; by default as many as the model can
        sampler: greedy, top_k or top_p
        constrained: whether the grammar keeps every object well-formed
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        seed: of the sampling
    """
    options = {"max_objects": max_objects, "sampler": sampler, "constrained": constrained}
    options |= {"multi_label": multi_label, "seed": seed}
    result, problems = predict_pictures(open_model(model), images, output, json, threshold, batch_size, **options)
    print(f"{len(result['annotations'])} objects in {len(result['images'])} pictures: {output}")
    if problems:
        print(f"{len(problems)} pictures were left out:")
        print("\n".join(f"  {problem}" for problem in problems))
    if not result["images"]:
        raise InputError(f"None of the {len(problems)} pictures could be read.")


def convert(
    checkpoint: str, output: str, preset: str | None = None, config: str | None = None, categories: str | None = None
):
    """Turn a published checkpoint into a .keras file.

    Args:
        checkpoint: folder with the checkpoint (checkpoint, NAME.index, NAME.data-…), or its path without the ending
        output: .keras file to write
        preset: published model that the checkpoint is of, such as vit_b_640
        config: JSON file with the checkpoint's model configuration, instead of a preset
        categories: with --config, the classes it was trained on: coco, objects365, or an annotation file in COCO format
    """
    target = Path(output)
    if (preset is None) == (config is None):
        raise InputError("Say what the checkpoint is of: either --preset NAME or --config FILE.")
    if categories is not None and preset is not None:
        raise InputError("A preset knows its categories: --categories goes with --config.")
    if target.suffix != ".keras" or target.is_dir():
        raise InputError(f"The output must be a file ending in .keras. Received: --output {output}")
    Checkpoint(checkpoint)  # a mistyped path is told before a large model is built
    require_writable_folder(target.parent)
    start = time.monotonic()
    if preset is not None:
        model = Pix2Seq.from_preset(preset, weights=None)
        published.load_checkpoint(model, checkpoint)
    else:
        model = published.from_checkpoint(checkpoint, config, _categories(categories))
    save_model(model, target)
    seconds = time.monotonic() - start
    print(f"{len(model.weights)} weights, {model.count_params():,} parameters: {target} ({seconds:.0f} s)")


def benchmark_conversion(preset: str = "vit_b_640", json: str | None = None):
    """Measure how long converting a published checkpoint takes, and how much memory.

    Args:
        preset: published model; a checkpoint of it with random weights is written first
        json: file for the result
    """
    if json is not None:
        _check_writable(Path(json))
    result = measure_conversion(preset)
    for name, value in result.items():
        print(f"{name:34} {value}")
    if json is not None:
        write_json(Path(json), result)


def benchmark_generation(
    preset: str = "resnet50_640",
    batch_size: int = 1,
    max_objects: int = 100,
    sampler: str = "top_p",
    repeats: int = 5,
    json: str | None = None,
    profile: str | None = None,
):
    """Measure how fast a model reads pictures out, against plain ways and the machine's limits.

    Args:
        preset: model, with random weights
        batch_size: pictures at once
        max_objects: objects to read out of each, five tokens an object; nothing stops early
        sampler: greedy, top_k or top_p
        repeats: rounds after the warm-up; medians are given
        json: file for the result
        profile: file for a table of the time of each operation, compiled and as a graph
    """
    for path in filter(None, (json, profile)):
        _check_writable(Path(path))
    result = measure_generation(preset, batch_size, max_objects, repeats, sampler)
    for name, value in result.items():
        print(f"{name:22} {value}")
    for name in ("decode_s", "decode_graph_s"):
        plain, floor = (result[other] for other in ("decode_plain_s", "floor_s"))
        print(f"{name}: {plain / result[name]:.1f} times the speed of the plain way, {result[name] / floor:.2f} floors")
    if json is not None:
        write_json(Path(json), result)
    if profile is not None:
        table = profile_generation(preset, batch_size, max_objects, sampler)
        with replacing(profile) as file:
            file.write(table)


BENCHMARKS = {
    "conversion": (benchmark_conversion, "Converting a checkpoint."),
    "generation": (benchmark_generation, "Reading pictures out."),
}


def main(arguments=None):
    """Runs the command.

    Args:
        arguments: list of str, or `None` for the process's own.

    Returns:
        int, the exit status: 0, or 2 where the input cannot be used.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        chosen = _parser().parse_args(_in_the_parsers_words(arguments))
        options = chosen[chosen.command]
        if chosen.command == "train":
            _train(options)
        elif chosen.command == "benchmark":
            BENCHMARKS[options.benchmark][0](**options[options.benchmark].as_dict())
        else:
            {"evaluate": evaluate, "predict": predict, "convert": convert}[chosen.command](**options.as_dict())
    except InputError as error:
        print(f"pix2seq: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a file taken away: wherever it was met, no traceback helps
        where = f" ({error.filename})" if error.filename else ""
        print(f"pix2seq: a file could not be read or written: {error.strerror or error}{where}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = " --resume continues the run from its last whole epoch." if arguments[0] == "train" else ""
        print(f"pix2seq: stopped.{hint}", file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = jsonargparse.ArgumentParser(prog="pix2seq", description="Object detection as language modelling.")
    commands = parser.add_subcommands(dest="command", required=True)
    commands.add_subcommand("train", _train_parser(), help="Train a model by a recipe.")
    commands.add_subcommand("evaluate", _function_parser(evaluate), help="Score a model on a split.")
    commands.add_subcommand("predict", _predict_parser(), help="Find objects in pictures.")
    commands.add_subcommand(
        "convert", _function_parser(convert), help="Turn a published checkpoint into a .keras file."
    )
    benchmarks = jsonargparse.ArgumentParser(description="Measure time and memory, side by side in one run.")
    commands.add_subcommand("benchmark", benchmarks, help="Measure time and memory.")
    kinds = benchmarks.add_subcommands(dest="benchmark", required=True)
    for name, (function, what) in BENCHMARKS.items():
        kinds.add_subcommand(name, _function_parser(function), help=what)
    return parser


def _train_parser():
    parser = jsonargparse.ArgumentParser(
        description=f"Train a model by a recipe ({', '.join(recipes.names())}, or a YAML file); every field of the "
        "recipe is a flag."
    )
    parser.add_argument("--recipe", action=jsonargparse.ActionConfigFile, help="name or YAML file of the recipe")
    parser.add_argument("--output", type=str, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in --output, as its own recipe says")
    parser.add_class_arguments(Recipe, as_group=False)
    return parser


def _function_parser(function, skip=()):
    parser = jsonargparse.ArgumentParser(description=function.__doc__.split("\n")[0])
    parser.add_function_arguments(function, as_group=False, as_positional=False, skip=set(skip))
    return parser


def _predict_parser():
    parser = _function_parser(predict, skip=["images"])
    parser.add_argument("images", nargs="+", type=str, help="pictures, or folders of them")
    return parser


def _in_the_parsers_words(arguments):
    """`--recipe NAME` becomes `--recipe FILE` right after `train`, so that every other flag overrides it.

    `--model REF` and `--weights PATH` stand for `--model.preset` and `--model.weights`, and `--batch-size` for
    `--batch_size`, as everywhere.
    """
    arguments = [_with_underscores(argument) for argument in arguments]
    if not arguments or arguments[0] != "train":
        return arguments
    rest, recipe = [], []
    values = iter(arguments[1:])
    for value in values:
        if value == "--recipe":
            recipe = ["--recipe", str(recipes.find(next(values, "")))]
        elif value.startswith("--recipe="):
            recipe = ["--recipe", str(recipes.find(value.removeprefix("--recipe=")))]
        else:
            flag, equals, given = value.partition("=")
            rest.append(SHORT_FLAGS.get(flag, flag) + equals + given)
    return ["train", *recipe, *rest]


def _with_underscores(argument):
    flag, equals, value = argument.partition("=")
    return flag[:2] + flag[2:].replace("-", "_") + equals + value if flag.startswith("--") else argument


def _train(options):
    output, resume = options.pop("output"), options.pop("resume")
    named = options.pop("recipe", None)
    if not named and not resume:
        raise InputError(f"Name a recipe: --recipe with one of {', '.join(recipes.names())}, or a YAML file.")
    parser = jsonargparse.ArgumentParser()
    parser.add_class_arguments(Recipe, "recipe")
    recipe = parser.instantiate_classes(jsonargparse.Namespace(recipe=options)).recipe
    if resume and not named and recipe == Recipe():
        recipe = None  # nothing was said: the run's own
    train(recipe, output, resume)


def _categories(name):
    """`Categories` of a published data set, or of an annotation file in COCO format; `None` for `None`."""
    if name is None:
        return None
    if name in ("coco", "objects365"):
        return published_presets.categories(name)
    try:
        document = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{name} is neither coco nor objects365 nor a JSON file that can be read: {error}") from error
    return Categories.from_coco(document.get("categories") if isinstance(document, dict) else None)


def _data_of_run(model):
    """The data source that a run folder was trained on."""
    recipe = Path(model) / "recipe.yaml"
    if not recipe.is_file():
        raise InputError(f"{model} is no run folder, so it does not say which data to use: give --data.")
    return recipes.load(recipe).data.source


def _check_writable(path):
    """Before minutes of work: can the result be written?"""
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise InputError(f"The result cannot be written to {path}: its folder is missing or not writable.")


def _shown(value):
    return "  —  " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    raise SystemExit(main())
