"""`pix2seq evaluate`."""

from pathlib import Path

from pix2seq_keras.atomic_files import require_writable_file, write_json
from pix2seq_keras.commands.decoding_options import given
from pix2seq_keras.errors import InputError


def evaluate(
    model: str,
    split: str,
    data: str | None = None,
    json: str | None = None,
    report: str | None = None,
    max_images: int | None = None,
    batch_size: int = 8,
    **reading,
):
    """Score a model on a split with pycocotools.

    Args:
        model: preset, run folder, preset folder, .keras file, SavedModel folder, .tflite file, grpc://HOST:PORT/NAME or
            http://HOST:PORT/v1/models/NAME; what was fixed when a model was exported cannot be chosen again
        split: such as val or test
        data: data source, such as coco:DIR or digits; by default the run's own
        json: file for the result
        report: file for a page that tells where the errors come from, FILE.html: curves, kinds of errors, the worst
            images
        max_images: only so many images
        batch_size: images at once; a server takes as many as its batching allows
        **reading: see `reading_options.given`, whose flags the parser finds through this call
    """
    targets = [Path(path) if path else None for path in (json, report)]
    _require_writable(*targets)
    options = given(**reading)

    from pix2seq_keras.data import open_source
    from pix2seq_keras.evaluation import evaluate_source
    from pix2seq_keras.inference import open_model
    from pix2seq_keras.reports import report_evaluation, write_evaluation_page

    detector = open_model(model)
    source = open_source(data or _data_of_run(model), split)
    result, evaluator = evaluate_source(detector, source, batch_size, max_images, **options)
    for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100"):
        print(f"{name:6} {_shown(result[name])}")
    for name, scores in result["per_class"].items():
        print(f"  {name}: AP {_shown(scores['AP'])}, AP50 {_shown(scores['AP50'])}")
    print(f"{result['num_images']} images, {result['num_objects']} objects, {result['seconds']:.1f} s")
    if len(source.issues):
        print(f"{len(source.issues)} issues in {source.name} {source.split}:\n{source.issues.summary()}")
    scores, page = targets
    if scores is not None:
        write_json(scores, result)
    if page is not None:
        about = {"model": model, "data": source.name, "split": source.split, "options": _said(options, batch_size)}
        if max_images is not None:
            about["images at most"] = f"{max_images:,}"
        write_evaluation_page(report_evaluation(evaluator, result, source, about), page)
        print(f"{page} tells where the errors come from")


def _require_writable(scores, page):
    """Before minutes of work: can the results be written?"""
    if page is not None and page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"A report is an HTML page, so its name must end in .html or .htm. Received: --report {page}")
    if page is not None and scores is not None and page.resolve() == scores.resolve():
        raise InputError(f"--json and --report would both write {page}: give each a file of its own.")
    for target in (scores, page):
        if target is not None:
            require_writable_file(target)


def _said(options, batch_size):
    """The options that were given, and that the others were not."""
    told = [f"{name} {value}" for name, value in {**options, "batch_size": batch_size}.items()]
    return ", ".join([*told, "the others as the model has them"])


def _data_of_run(model):
    """The data source that a run folder was trained on."""
    recipe = Path(model) / "recipe.yaml"
    if not recipe.is_file():
        raise InputError(f"{model} is no run folder, so it does not say which data to use: give --data.")
    from pix2seq_keras.training import recipe as recipes

    return recipes.load(recipe).data.source


def _shown(value):
    return "  —  " if value is None else f"{value:.3f}"
