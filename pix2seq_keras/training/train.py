"""A training run, from recipe to gallery."""

import contextlib
import dataclasses
import subprocess
import time
from datetime import datetime
from pathlib import Path

import keras

from pix2seq_keras.atomic_files import atomic_write, write_error_message, write_json
from pix2seq_keras.data import open_source
from pix2seq_keras.data.pipeline import input_errors
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import CocoEvaluation, evaluate_source
from pix2seq_keras.models.saving import save_model
from pix2seq_keras.training import recipe as recipes
from pix2seq_keras.training.building import build_dataset, build_model, build_optimizer
from pix2seq_keras.training.callbacks import MetricsTable, Progress, Reseed, SaveState, drop_rows_after
from pix2seq_keras.training.distribution import scope, synchronize
from pix2seq_keras.training.run_folder import BEGINNING, RunFolder
from pix2seq_keras.visualization import detection_panels, save_curves, save_gallery


def train(recipe, output, resume=False):
    """Trains a model as a recipe says, with evaluations on the way, and leaves a run folder.

    The folder holds recipe.yaml (every field resolved), metrics.csv, best.keras and last.keras (without optimizer
    state), train.log, curves.png, gallery.png (predictions on validation images) and summary.json. It opens as a
    model wherever one is asked for. A run that was stopped continues with `resume` from the end of its last epoch, and
    ends with the same weights as if it had not been stopped.

    Args:
        recipe: `Recipe`; with `resume` `None`, or the run's own once more.
        output: path of the run folder.
        resume: bool, continue the run in `output` as its own recipe says.

    Returns:
        Dictionary: the result of the last evaluation, see `evaluate_source`, and `"best_AP"`.

    Raises:
        InputError: if the folder is in use or cannot be written, the data cannot be trained on, the model does not
            fit the data, or `recipe` is not the recipe of the run to resume.
    """
    run = RunFolder(output)
    run.create(resume)
    if resume:
        own = recipes.load(run.recipe)
        if recipe is not None and recipe != own:
            raise InputError(
                f"The run in {run.path} follows its own recipe, which says something else about "
                f"{', '.join(_differences(own, recipe))}. Resume with --output and --resume alone, or train into "
                "another --output."
            )
        recipe = own
    with _Log(run.log) as say:
        return _train(recipe, run, resume, say)


def _train(recipe, run, resume, say):
    started = time.monotonic()

    # === The data ===
    train_source = open_source(recipe.data.source, recipe.data.train_split)
    val_source = open_source(recipe.data.source, recipe.data.val_split)
    if val_source.categories != train_source.categories:
        raise InputError(
            f"The splits {recipe.data.train_split} and {recipe.data.val_split} of {recipe.data.source} have different "
            f"categories: {train_source.categories.names} and {val_source.categories.names}."
        )
    say(
        f"{recipe.data.source}: {len(train_source)} images to train on ({recipe.data.train_split}), "
        f"{len(val_source)} to evaluate on ({recipe.data.val_split}), {len(train_source.categories)} classes"
    )

    # === The model and its optimiser ===
    # Seeded here and not before the data: drawing or preparing them, the first time, uses random numbers too.
    keras.utils.set_random_seed(recipe.seed)
    with scope(recipe.strategy):
        model = build_model(recipe, train_source.categories, load_weights=not run.state.is_file())
        if recipe.strategy != "none":
            synchronize(model)
        optimizer = build_optimizer(recipe)
        # XLA on a CPU took twice as long a step as plain TensorFlow (1.1 s, 0.5 s; a model of digits_tiny's size).
        model.compile(optimizer, jit_compile=False)
        optimizer.build(model.trainable_variables)
    say(f"{model.count_params():,} parameters, {recipe.steps} steps of {recipe.batch_size} images")
    progress = run.load_state(model) if resume else dict(BEGINNING)
    if resume:
        drop_rows_after(run.metrics, progress["epoch"])
        say(f"resumed after epoch {progress['epoch']}, step {progress['step']}")
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
        **recipe.evaluation.detect_options(),
    )
    steps_after = lambda epoch: min((epoch + 1) * recipe.epoch_steps, recipe.steps)  # the last epoch may be shorter
    bar = Progress(progress["step"], recipe.steps, steps_after, say)
    callbacks = [
        Reseed(recipe.seed),
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
        _report_issues(say, train_source, val_source)

    # === What it leaves ===
    result = _finish(model, recipe, run, evaluation, val_source)
    write_json(
        run.summary,
        {**result, "train_seconds": round(time.monotonic() - started, 1), "commit": _commit(), "seed": recipe.seed},
    )
    say(
        f"AP {_shown(result['AP'])}, AP50 {_shown(result['AP50'])} on {recipe.data.val_split}; {run.path} holds the run"
    )
    return result


def _fit(model, batches_from, recipe, progress, callbacks):
    """Whole epochs, then the steps that are left."""
    epochs, rest = divmod(recipe.steps, recipe.epoch_steps)
    options = {"verbose": 0, "shuffle": False, "callbacks": callbacks}
    first = progress["epoch"]
    if first < epochs:
        dataset = batches_from(progress["step"])
        model.fit(dataset, initial_epoch=first, epochs=epochs, steps_per_epoch=recipe.epoch_steps, **options)
    if rest and first <= epochs:
        dataset = batches_from(epochs * recipe.epoch_steps)
        model.fit(dataset, initial_epoch=epochs, epochs=epochs + 1, steps_per_epoch=rest, **options)


def _finish(model, recipe, run, evaluation, source):
    save_model(model, run.last)
    save_curves(run.metrics, run.curves)
    options = recipe.evaluation.detect_options()
    examples = []
    for index in range(len(source)):
        if len(examples) == recipe.evaluation.gallery_images:
            break
        example = source.read_or_report(index)
        if example is not None:
            examples.append(example)
    if examples:
        detections = model.detect([example["image"] for example in examples], **options)
        panels = detection_panels(examples, detections, source.categories, recipe.evaluation.threshold)
        save_gallery(run.gallery, panels, title=f"{recipe.data.source} {recipe.data.val_split}")
    if evaluation.history:
        result = dict(evaluation.history[-1])
        result.pop("epoch", None)
    else:  # resumed when all steps were already done
        result, _ = evaluate_source(
            model, source, recipe.evaluation.batch_size, recipe.evaluation.max_images, **options
        )
    return {**result, "best_AP": evaluation.best}


def _report_issues(say, *sources):
    for source in sources:
        summary = source.issues.summary()
        if summary:
            say(f"{source.name} {source.split}: {len(source.issues)} issues\n{summary}")


def _differences(one, other, prefix=""):
    """Names of the fields in which two recipes differ."""
    names = []
    for field in dataclasses.fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if dataclasses.is_dataclass(mine):
            names += _differences(mine, theirs, f"{prefix}{field.name}.")
        elif mine != theirs:
            names.append(prefix + field.name)
    return names


def _shown(value):
    return "—" if value is None else f"{value:.3f}"


def _commit():
    """The commit of the checkout this runs from, or `None`."""
    folder = Path(__file__).resolve().parent
    run = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return run.stdout.strip() or None


class _Log:
    """Prints lines and keeps them, with the time, in the run's log."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self._keep("")
        return self._say

    def _say(self, line):
        print(line, flush=True)
        self._keep(f"{datetime.now().isoformat(timespec='seconds')} {line}\n")

    def _keep(self, text):
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise InputError(write_error_message(self.path, error)) from error

    def __exit__(self, kind, error, trace):
        if error is not None:
            with contextlib.suppress(InputError):  # a full disk is told by the error that is on its way
                self._keep(f"{datetime.now().isoformat(timespec='seconds')} stopped: {kind.__name__}: {error}\n")
