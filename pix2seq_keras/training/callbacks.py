"""Callbacks of a run: random state of dropout, table of metrics, state to resume from, progress."""

import csv
import math
import time

import keras

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.progress import progress_bar


class SeedDropout(keras.callbacks.Callback):
    """Sets the random state of every dropout at the start of an epoch to a function of (seed, epoch).

    Random states are not weights, so no file stores them. Without this, a resumed run would drop other units.

    Args:
        seed: int, seed of the run.
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        for index, generator in enumerate(seed_generators(self.model)):
            generator.state.assign([(self.seed * 1_000_003 + index) % 2**32, epoch])  # uint32


def seed_generators(model):
    """List of the `keras.random.SeedGenerator` of all layers of a model, in the order of the layers."""
    generators = []
    for layer in model._flatten_layers():
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generators.append(generator)
    return generators


class MetricsTable(keras.callbacks.Callback):
    """Appends a row for every epoch to metrics.csv: epoch, step, learning rate, seconds, then the epoch's logs.

    Args:
        path: `pathlib.Path` of the table.
        steps_after: function of an epoch (from 0) -> number of steps done after it.
    """

    def __init__(self, path, steps_after):
        super().__init__()
        self.path = path
        self.steps_after = steps_after

    def on_train_begin(self, logs=None):
        self.start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "epoch": epoch + 1,
            "step": self.steps_after(epoch),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": round(time.monotonic() - self.start, 1),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        rows = _rows(self.path) or [list(row)]
        with atomic_write(self.path) as file:  # the whole table, which has one row for every epoch
            csv.writer(file).writerows([*rows, row.values()])


def drop_rows_after(path, epoch):
    """Removes the rows of epochs that a resumed run trains again.

    Args:
        path: `pathlib.Path` of metrics.csv.
        epoch: int, the last epoch to keep, from 1.
    """
    rows = _rows(path)
    if rows:
        with atomic_write(path) as file:
            csv.writer(file).writerows(rows[:1] + [row for row in rows[1:] if int(row[0]) <= epoch])


def _rows(path):
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


class SaveState(keras.callbacks.Callback):
    """Saves the state of the run at the end of every epoch.

    The step, at which the data continue, is computed from the epoch: an optimizer with loss scaling does not count the
    steps that it skips.

    Args:
        run: `RunFolder`.
        evaluation: `CocoEvaluation`, for the best AP so far.
        steps_after: function of an epoch (from 0) -> number of steps done after it.
    """

    def __init__(self, run, evaluation, steps_after):
        super().__init__()
        self.run = run
        self.evaluation = evaluation
        self.steps_after = steps_after

    def on_epoch_end(self, epoch, logs=None):
        progress = {"epoch": epoch + 1, "step": self.steps_after(epoch), "best": self.evaluation.best}
        self.run.save_state(self.model, progress)


class Progress(keras.callbacks.Callback):
    """Shows the progress of the run and the remaining time, and logs a line for every epoch.

    Args:
        done_steps: int, steps done before this process.
        total_steps: int, steps of the whole run.
        steps_after: function of an epoch (from 0) -> number of steps done after it.
        log: function of a line of text.
    """

    def __init__(self, done_steps, total_steps, steps_after, log):
        super().__init__()
        self.done_steps = done_steps
        self.total_steps = total_steps
        self.steps_after = steps_after
        self.log = log
        self.context = None

    def on_train_begin(self, logs=None):
        if self.context is None:
            self.context = progress_bar("training", self.total_steps - self.done_steps)
            self.advance = self.context.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        self.advance()

    def on_epoch_end(self, epoch, logs=None):
        # Epochs without an evaluation have NaN as their AP. Any other number is shown, whatever it is.
        shown = lambda name, value: not (name.startswith("val_") and math.isnan(value))
        values = [f"{name} {value:.4f}" for name, value in (logs or {}).items() if shown(name, value)]
        self.log("  ".join([f"step {self.steps_after(epoch)}/{self.total_steps}", *values]))

    def close(self):
        """Removes the bar from the terminal."""
        if self.context is not None:
            self.context.__exit__(None, None, None)
            self.context = None
