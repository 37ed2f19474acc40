"""A training run, from the recipe to the gallery."""

import contextlib
import dataclasses
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
from pix2seq_keras.training.averaged_weights import averaged_weights
from pix2seq_keras.training.building import build_dataset, build_model, build_optimizer, images_of_step
from pix2seq_keras.training.callbacks import MetricsTable, Progress, SaveState, drop_rows_after
from pix2seq_keras.training.distribution import scope, synchronize
from pix2seq_keras.training.finite_loss import FiniteLoss
from pix2seq_keras.training.fit_from import fit_from, whole_epochs
from pix2seq_keras.training.interruption import Interruption, RunInterruptedError
from pix2seq_keras.training.random_states import SeedDropout
from pix2seq_keras.training.run_folder import RunFolder
from pix2seq_keras.training.run_log import RunLog
from pix2seq_keras.training.run_state import START
from pix2seq_keras.visualization import detection_panels, save_curves, save_gallery


def train(recipe, output, resume=False):
    """Trains a model by a recipe, evaluates it during training, and writes a run folder.

    The folder holds recipe.yaml (with all defaults), metrics.csv, best.keras and last.keras (without optimizer state),
    train.log, curves.png, gallery.png (detections on validation images) and summary.json. It can be opened as a model,
    see `open_model`. With `resume`, a run that was stopped continues at the step of its last state, and ends
    with the same weights as a run that was not stopped.

    Args:
        recipe: `Recipe`; with `resume` `None`, or the run's own recipe, in which `steps` may be more: the run, finished
            or not, then continues to so many steps. A learning rate that decays follows the schedule of the new length.
        output: str or path of the run folder.
        resume: bool, whether to continue the run in `output` by its own recipe. Defaults to False.

    Returns:
        Dictionary: the result of the last evaluation, see `evaluate_source`, and `"best_AP"`.

    Raises:
        InputError: if the folder is in use or cannot be written, the data cannot be trained on, the model does not
            fit the data, `recipe` is not that of the run to resume, or the loss is not finite.

    Example:
        >>> train(Recipe(steps=1000), "runs/digits")["AP"]
        0.31
    """
    run = RunFolder(output)
    run.create(resume)
    if resume:
        own = recipes.load(run.recipe)
        recipe = own if recipe is None else _continued(own, recipe, run.path)
    with run.lock(), RunLog(run.log) as log, Interruption() as interruption:
        return _train(recipe, run, resume, log, interruption)


def _train(recipe, run, resume, log, interruption):
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
        f"{recipe.data.source}: {_count_images(train_source, recipe.data)}, "
        f"{len(val_source)} to evaluate on ({recipe.data.val_split}), {len(train_source.categories)} classes"
    )

    # === The model, its objective and its optimiser ===
    # Seeded here and not before the data: preparing them for the first time uses random numbers too.
    keras.utils.set_random_seed(recipe.seed)
    with scope(recipe.strategy):
        model = build_model(recipe, train_source.categories, load_weights=not (resume and run.has_state))
        if recipe.strategy != "none":
            synchronize(model)
        optimizer = build_optimizer(recipe, model.trainable_variables)
        # With XLA on a CPU a step took twice as long (1.1 s instead of 0.5 s, for a model of digits_tiny's size).
        model.compile(optimizer, recipe.objective, recipe.accumulation_steps, jit_compile=False)
        optimizer.build(model.trainable_variables)
    recipe.evaluation.decoding.complete(model.max_length)  # options that do not fit are refused before the first epoch
    log(f"{model.count_params():,} parameters, {recipe.steps} steps of {recipe.batch_size} images")
    progress, state = dict(START), None
    if resume:
        progress, state = _resume(model, run, recipe, log)
    else:
        run.save_state(model, progress)  # first: a run with a recipe and without a state has lost it
    if not resume or recipe != recipes.load(run.recipe):  # with more steps
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
        last_epoch=-(-recipe.steps // recipe.epoch_steps) - 1,
        context=lambda model: _evaluated(model, interruption),
        options=recipe.evaluation.decoding,
    )
    started = time.monotonic() - progress["seconds"]
    clock = lambda: time.monotonic() - started
    steps_after = lambda epoch: min((epoch + 1) * recipe.epoch_steps, recipe.steps)  # the last epoch may be shorter
    bar = Progress(progress["step"], recipe.steps, steps_after, log)
    save = SaveState(run, progress, evaluation, clock, interruption, recipe.save_steps, recipe.save_minutes)
    images_of = lambda step: images_of_step(recipe, train_source, step)
    callbacks = [
        SeedDropout(recipe.seed),
        FiniteLoss(progress["step"], recipe.steps, images_of),
        evaluation,
        MetricsTable(run.metrics, steps_after, clock),
        bar,
        save,
    ]
    try:
        with input_errors():
            fit_from(model, batches_from, recipe, progress, callbacks, state)
    except RunInterruptedError:
        save.set_model(model)
        save.save()
        log(
            f"{interruption.signal.name}: stopped after step {progress['step']}/{recipe.steps}. "
            "`resume` continues the run."
        )
        interruption.end()
    finally:
        bar.close()
        _log_issues(log, train_source, val_source)

    # === The results ===
    with averaged_weights(model):
        save_model(model, run.last)
        _save_curves(run, log)
        _save_gallery(model, recipe, run, val_source)
        result = {**_last_result(model, recipe, evaluation, val_source), "best_AP": evaluation.best}
    write_json(run.summary, {**result, "train_seconds": round(clock(), 1), "commit": _commit(), "seed": recipe.seed})
    scores = ", ".join(f"{name} {_format_score(result[name])}" for name in ("AP", "AP50"))
    log(f"{scores} on {recipe.data.val_split}; the run is in {run.path}")
    return result


def _resume(model, run, recipe, log):
    """Loads the state into the model: its progress and its file."""
    progress, path, problems = run.load_state(model, recipe.steps)
    for problem in problems:
        log(f"{problem}\nThe state before is used instead.")
    progress["epoch"] = whole_epochs(progress, recipe)
    aside = drop_rows_after(run.metrics, progress["epoch"])
    if aside is not None:
        log(f"{run.metrics} is not as it was written. It is now {aside.name}, and a new table begins.")
    log(f"resumed after epoch {progress['epoch']}, step {progress['step']}")
    return progress, path


@contextlib.contextmanager
def _evaluated(model, interruption):
    """Context of an evaluation: averaged weights; a signal ends it at once, since a resumed run repeats it."""
    with averaged_weights(model), interruption.at_once():
        yield


def _save_curves(run, log):
    """The curves show the run; if they cannot be drawn, its weights are none the worse."""
    try:
        save_curves(run.metrics, run.curves)
    except InputError as error:
        log(f"No curves: {error}")


def _count_images(source, data):
    """How many images are used, and why not all, such as "1 of 6 images to train on (train; 5 have no objects)"."""
    total, empty = len(source), int((~source.annotated).sum())
    used = min(total - empty, total if data.train_limit is None else data.train_limit)
    notes = [f"{empty} {'has' if empty == 1 else 'have'} no objects"] if empty else []
    notes += [f"data.train_limit={data.train_limit}"] if used < total - empty else []
    count = f"{total} images" if used == total else f"{used} of {total} images"
    return f"{count} to train on ({'; '.join([data.train_split, *notes])})"


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


def _continued(own, recipe, path):
    """The recipe by which a run continues: its own, but for more steps."""
    if differing := _differences(dataclasses.replace(own, steps=recipe.steps).to_dict(), recipe.to_dict()):
        raise InputError(
            f"`recipe` must be that of the run in {path} to resume it, but for `steps`. Received: another value of "
            f"{', '.join(differing)}. Give `output` and `resume` alone, or another `output`."
        )
    if recipe.steps < own.steps:
        raise InputError(
            f"`steps` of a run that is resumed must be at least its own: {path} is trained for {own.steps}. "
            f"Received: steps={recipe.steps}. Leave it out, or give another `output`."
        )
    return recipe


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
