"""`pix2seq evaluate`."""

from pathlib import Path
from typing import Any, Literal

from pix2seq_keras.atomic_files import refuse_to_overwrite, require_writable_file, write_json
from pix2seq_keras.errors import InputError
from pix2seq_keras.ranges import require_count
from pix2seq_keras.terminal import one_line, say
from pix2seq_keras.training import recipe_files as recipes


# Not named `evaluate`: jsonargparse looks for a function's name in all packages above it, and `evaluate` of the top
# level imports TensorFlow.
def run(
    model: str,
    split: str,
    decoding: dict[str, Any],
    data: str | None = None,
    json: str | None = None,
    report: str | None = None,
    max_images: int | None = None,
    batch_size: int = 8,
    classes: Literal["all", "common"] = "all",
) -> None:
    """Score a model on a split with COCO's metrics.

    Args:
        model: preset, run folder, preset folder, .keras file, SavedModel folder, .tflite file, grpc://HOST:PORT/NAME or
            http://HOST:PORT/v1/models/NAME; the decoding options of an exported model cannot be changed
        split: such as val or test
        decoding: decoding options that were given
        data: data source, by default the run's own
        json: file for the result
        report: HTML file for a report on the errors: curves, types of errors, the images with the lowest scores
        max_images: evaluate only so many images
        batch_size: images at once; a server accepts as many as its batching allows
        classes: all of the data, or only the common ones of the data and the model, by name
    """
    targets = [Path(path) if path else None for path in (json, report)]
    _require_writable(*targets)
    require_count("batch_size", batch_size)
    require_count("max_images", max_images, optional=True)

    from pix2seq_keras.data import open_source
    from pix2seq_keras.evaluation import evaluate_source
    from pix2seq_keras.evaluation.class_choice import choose_classes
    from pix2seq_keras.inference import open_model

    detector = open_model(model)
    source = open_source(data or _data_of_run(model), split)
    refuse_to_overwrite(filter(None, targets), source.labels or (), "--json or --report")
    # The report shows the same objects as the scores.
    source = choose_classes(detector, source, classes)
    result, evaluator = evaluate_source(detector, source, batch_size, max_images, **decoding)
    _print_scores(result)
    if len(source.issues):
        say(f"{len(source.issues)} issues in {source.name} {source.split}:\n{source.issues.summary()}")
    scores, page = targets
    if scores is not None:
        write_json(scores, result)
    if page is not None:
        from pix2seq_keras.reports import build_evaluation_report, write_evaluation_page

        options = _shown_options(decoding, batch_size)
        about = {"model": model, "data": source.name, "split": source.split, "options": options}
        if max_images is not None:
            about["images at most"] = f"{max_images:,}"
        write_evaluation_page(build_evaluation_report(evaluator, result, source, about), page)
        say(f"Report on the errors: {page}")


def _print_scores(result):
    shown = lambda value: "  —  " if value is None else f"{value:.3f}"
    for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100"):
        say(f"{name:6} {shown(result[name])}")
    for name, scores in result["per_class"].items():
        say(f"  {one_line(name, 80)}: AP {shown(scores['AP'])}, AP50 {shown(scores['AP50'])}")
    say(f"{result['num_images']} images, {result['num_objects']} objects, {result['seconds']:.1f} s")


def _require_writable(scores, page):
    """Before minutes of work: can the results be written?"""
    if page is not None and page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"`--report` must end in .html or .htm. Received: --report {page}")
    if page is not None and scores is not None and page.resolve() == scores.resolve():
        raise InputError(f"--json and --report must be two files. Received: {page} for both.")
    for target in (scores, page):
        if target is not None:
            require_writable_file(target)


def _shown_options(decoding, batch_size):
    """The options that were given, for the report."""
    given = [f"{name} {value}" for name, value in {**decoding, "batch_size": batch_size}.items()]
    return ", ".join([*given, "the others as the model has them"])


def _data_of_run(model):
    """The data source that a run folder was trained on."""
    recipe = Path(model) / "recipe.yaml"
    if not recipe.is_file():
        raise InputError(f"--data is required unless --model is a run folder. Received: --model {model}")
    return recipes.load(recipe).data.source
