"""A training run, from the recipe to the gallery."""

import subprocess
import time
from pathlib import Path

import keras

from pix2seq_keras.atomic_files import atomic_write, write_json
from pix2seq_keras.data import open_source
from pix2seq_keras.data.pipeline import input_errors
from pix2seq_keras.data.sources.class_matching import unknown_classes, with_classes
from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import CocoEvaluation, evaluate_source
from pix2seq_keras.models.saving import save_model
from pix2seq_keras.training import recipe_files as recipes
from pix2seq_keras.training.building import build_dataset, build_model, build_optimizer
from pix2seq_keras.training.callbacks import MetricsTable, Progress, SaveState, SeedDropout, drop_rows_after
from pix2seq_keras.training.distribution import scope, synchronize
from pix2seq_keras.training.run_folder import START, RunFolder
from pix2seq_keras.training.run_log import RunLog
from pix2seq_keras.visualization import detection_panels, save_curves, save_gallery


def train(recipe, output, resume=False):
    """Trains a model by a recipe, evaluates it during training, and writes a run folder.

    The folder holds recipe.yaml (with all defaults), metrics.csv, best.keras and last.keras (without optimizer state),
    train.log, curves.png, gallery.png (detections on validation images) and summary.json. It can be opened as a model,
    see `open_model`. With `resume`, a run that was stopped continues from the end of its last complete epoch, and ends
    with the same weights as a run that was not stopped.

    Args:
        recipe: `Recipe`; with `resume` `None`, or the run's own recipe.
        output: str or path of the run folder.
        resume: bool, whether to continue the run in `output` by its own recipe. Defaults to False.

    Returns:
        Dictionary: the result of the last evaluation, see `evaluate_source`, and `"best_AP"`.

    Raises:
        InputError: if the folder is in use or cannot be written, the data cannot be trained on, the model does not
            fit the data, or `recipe` is not that of the run to resume.

    Example:
        >>> train(Recipe(steps=1000), "runs/digits")["AP"]
        0.31
    """
    run = RunFolder(output)
    run.create(resume)
    if resume:
        own = recipes.load(run.recipe)
        if recipe is not None and recipe != own:
            raise InputError(
                f"`recipe` must be that of the run in {run.path} to resume it. Received: another value of "
                f"{', '.join(_differences(own.to_dict(), recipe.to_dict()))}. Give `output` and `resume` alone, or "
                "another `output`."
            )
        recipe = own
    with RunLog(run.log) as log:
        return _train(recipe, run, resume, log)


def _train(recipe, run, resume, log):
    started = time.monotonic()

    # === The data ===
    train_source = open_source(recipe.data.source, recipe.data.train_split)
    val_source = open_source(recipe.data.source, recipe.data.val_split)
    unknown = unknown_classes(val_source, train_source.categories.names)
    if unknown:
        raise InputError(
            "`data.val_split` must have no objects of classes that `data.train_split` lacks. Received: objects of "
            f"{quote_all(unknown)} in {recipe.data.val_split}, and the classes "
            f"{quote_all(train_source.categories.names)} in {recipe.data.train_split} of {recipe.data.source}. Give "
            "both the same classes, or choose another `data.val_split`, such as a part of the training split; "
            "`pix2seq evaluate --classes common` then scores the classes that both have."
        )
    val_source = with_classes(val_source, train_source.categories)
    log(
        f"{recipe.data.source}: {len(train_source)} images to train on ({recipe.data.train_split}), "
        f"{len(val_source)} to evaluate on ({recipe.data.val_split}), {len(train_source.categories)} classes"
    )

    # === The model, its objective and its optimiser ===
    # Seeded here and not before the data: preparing them for the first time uses random numbers too.
    keras.utils.set_random_seed(recipe.seed)
    with scope(recipe.strategy):
        model = build_model(recipe, train_source.categories, load_weights=not run.state.is_file())
        if recipe.strategy != "none":
            synchronize(model)
        optimizer = build_optimizer(recipe)
        # With XLA on a CPU a step took twice as long (1.1 s instead of 0.5 s, for a model of digits_tiny's size).
        model.compile(optimizer, recipe.objective, jit_compile=False)
        optimizer.build(model.trainable_variables)
    recipe.evaluation.decoding.complete(model.max_length)  # options that do not fit are refused before the first epoch
    log(f"{model.count_params():,} parameters, {recipe.steps} steps of {recipe.batch_size} images")
    progress = run.load_state(model) if resume else dict(START)
    if resume:
        drop_rows_after(run.metrics, progress["epoch"])
        log(f"resumed after epoch {progress['epoch']}, step {progress['step']}")
    else:
        with atomic_write(run.recipe) as file:
            file.write(recipe.to_yaml())

    # === The loop ===
    batches_from = lambda step: build_dataset(recipe, train_source, model, step)
    evaluation = CocoEvaluation(
        val_source,
        every=recipe.evaluation.every,
        max_images=recipe.evaluation.max_images,
        batch_size=recipe.evaluation.batch_size,
        best_path=str(run.best),
        best=progress["best"],
        options=recipe.evaluation.decoding,
    )
    steps_after = lambda epoch: min((epoch + 1) * recipe.epoch_steps, recipe.steps)  # the last epoch may be shorter
    bar = Progress(progress["step"], recipe.steps, steps_after, log)
    callbacks = [
        SeedDropout(recipe.seed),
        evaluation,
        MetricsTable(run.metrics, steps_after),
        SaveState(run, evaluation, steps_after),
        bar,
    ]
    try:
        with input_errors():
            _fit(model, batches_from, recipe, progress, callbacks)
    finally:
        bar.close()
        _log_issues(log, train_source, val_source)

    # === The results ===
    save_model(model, run.last)
    save_curves(run.metrics, run.curves)
    _save_gallery(model, recipe, run, val_source)
    result = {**_last_result(model, recipe, evaluation, val_source), "best_AP": evaluation.best}
    seconds = round(time.monotonic() - started, 1)
    write_json(run.summary, {**result, "train_seconds": seconds, "commit": _commit(), "seed": recipe.seed})
    scores = ", ".join(f"{name} {_format_score(result[name])}" for name in ("AP", "AP50"))
    log(f"{scores} on {recipe.data.val_split}; the run is in {run.path}")
    return result


def _fit(model, batches_from, recipe, progress, callbacks):
    """Trains the complete epochs, then the remaining steps."""
    epochs, rest = divmod(recipe.steps, recipe.epoch_steps)
    options = {"verbose": 0, "shuffle": False, "callbacks": callbacks}
    first = progress["epoch"]
    if first < epochs:
        dataset = batches_from(progress["step"])
        model.fit(dataset, initial_epoch=first, epochs=epochs, steps_per_epoch=recipe.epoch_steps, **options)
    if rest and first <= epochs:
        dataset = batches_from(epochs * recipe.epoch_steps)
        model.fit(dataset, initial_epoch=epochs, epochs=epochs + 1, steps_per_epoch=rest, **options)


def _save_gallery(model, recipe, run, source):
    """Draws detections on the first validation images that can be read; no image, no gallery."""
    examples = []
    for index in range(len(source)):
        if len(examples) == recipe.evaluation.gallery_images:
            break
        example = source.read_or_report(index)
        if example is not None:
            examples.append(example)
    if examples:
        detections = model.detect([example["image"] for example in examples], recipe.evaluation.decoding)
        panels = detection_panels(examples, detections, source.categories, recipe.evaluation.threshold)
        save_gallery(run.gallery, panels, title=f"{recipe.data.source} {recipe.data.val_split}")


def _last_result(model, recipe, evaluation, source):
    """The result of the last evaluation, which is made here if the run was resumed after its last step."""
    if evaluation.history:
        return {name: value for name, value in evaluation.history[-1].items() if name != "epoch"}
    options = recipe.evaluation
    return evaluate_source(model, source, options.batch_size, options.max_images, options=options.decoding)[0]


def _log_issues(log, *sources):
    for source in sources:
        summary = source.issues.summary()
        if summary:
            log(f"{source.name} {source.split}: {len(source.issues)} issues\n{summary}")


def _differences(one, other, prefix=""):
    """Names of the fields in which two recipes, as nested dictionaries, differ."""
    names = []
    for name, value in one.items():
        if isinstance(value, dict) and isinstance(other[name], dict) and value.keys() == other[name].keys():
            names += _differences(value, other[name], f"{prefix}{name}.")
        elif value != other[name]:
            names.append(prefix + name)
    return names


def _format_score(value):
    return "—" if value is None else f"{value:.3f}"


def _commit():
    """The commit of the checkout this runs from, or `None`."""
    folder = Path(__file__).resolve().parent
    run = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or None
