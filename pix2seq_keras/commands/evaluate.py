"""`pix2seq evaluate`."""

from pathlib import Path

from pix2seq_keras.commands.reading_options import given
from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import evaluate_source
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import recipe as recipes
from pix2seq_keras.writing import require_writable_file, write_json


def evaluate(
    model: str,
    split: str,
    data: str | None = None,
    json: str | None = None,
    max_images: int | None = None,
    batch_size: int = 32,
    max_objects: int | None = None,
    sampler: str | None = None,
    constrained: bool | None = None,
    multi_label: bool | None = None,
    seed: int | None = None,
):
    """Score a model on a split with pycocotools.

    Args:
        model: preset, run folder, preset folder, .keras file, SavedModel folder, .tflite file, grpc://HOST:PORT/NAME or
            http://HOST:PORT/v1/models/NAME; what was fixed when a model was exported cannot be chosen again
        split: such as val or test
        data: data source, such as coco:DIR or digits; by default the run's own
        json: file for the result
        max_images: only so many pictures
        batch_size: pictures at once
        max_objects: objects to read out of a picture; by default as many as the model can
        sampler: greedy, top_k, top_p (the default) or beam_search
        constrained: whether the grammar keeps every object well-formed; the default is yes
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        seed: of the sampling; 0 by default
    """
    detector = open_model(model)
    source = open_source(data or _data_of_run(model), split)
    options = given(
        max_objects=max_objects, sampler=sampler, constrained=constrained, multi_label=multi_label, seed=seed
    )
    target = Path(json) if json else None
    if target is not None:
        require_writable_file(target)
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


def _data_of_run(model):
    """The data source that a run folder was trained on."""
    recipe = Path(model) / "recipe.yaml"
    if not recipe.is_file():
        raise InputError(f"{model} is no run folder, so it does not say which data to use: give --data.")
    return recipes.load(recipe).data.source


def _shown(value):
    return "  —  " if value is None else f"{value:.3f}"
