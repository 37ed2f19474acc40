"""Callbacks of a run: table of metrics, state to resume from, progress."""

import csv
import math
import os

import keras

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.models.finite_weights import first_weight_that_is_not_finite
from pix2seq_keras.progress import progress_bar


class MetricsTable(keras.callbacks.Callback):
    """Appends a row for every epoch to metrics.csv: epoch, step, learning rate, seconds, then the epoch's logs.

    Args:
        path: `pathlib.Path` of the table.
        steps_after: function of an epoch (from 0) -> number of steps done after it.
        clock: function () -> seconds of training so far, over all processes of the run.
    """

    def __init__(self, path, steps_after, clock):
        super().__init__()
        self.path = path
        self.steps_after = steps_after
        self.clock = clock

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "epoch": epoch + 1,
            "step": self.steps_after(epoch),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": round(self.clock(), 1),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        rows = _rows(self.path) or [list(row)]
        with atomic_write(self.path) as file:  # the whole table, which has one row for every epoch
            csv.writer(file).writerows([*rows, row.values()])


def drop_rows_after(path, epoch):
    """Removes the rows of epochs that a resumed run trains again.

    The table shows the run and is not part of its state. So one that is not as it was written (a spreadsheet or a power
    cut changed it) is set aside, and a new one begins.

    Args:
        path: `pathlib.Path` of metrics.csv.
        epoch: int, the last epoch to keep, from 1.

    Returns:
        `pathlib.Path` of the file that was set aside, or None.
    """
    try:
        rows = _rows(path)
        kept = rows[:1] + [row for row in rows[1:] if int(row[0]) <= epoch]
        if rows and (rows[0][:2] != ["epoch", "step"] or any(len(row) != len(rows[0]) for row in rows)):
            raise ValueError("not the table of a run")
    except (ValueError, IndexError, csv.Error):  # UnicodeDecodeError is a ValueError
        aside = path.with_name(f"{path.stem}.damaged{path.suffix}")
        os.replace(path, aside)
        return aside
    if rows:
        with atomic_write(path) as file:
            csv.writer(file).writerows(kept)
    return None


def _rows(path):
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


class SaveState(keras.callbacks.Callback):
    """Counts the steps, saves the state of the run, and ends it after a signal.

    The state is saved at the end of every epoch, and within epochs every so many steps or minutes. The step, at which
    the data continue, is counted here: an optimizer with loss scaling does not count the steps that it skips. It must
    be the last callback, since the others belong to the epoch that it marks as complete.

    Args:
        run: `RunFolder`.
        progress: dict as `run_state.START`, where the run continues; it is updated.
        evaluation: `CocoEvaluation`, for the best AP so far.
        clock: function () -> seconds of training so far.
        interruption: `Interruption`.
        every_steps: int or None, steps between two saves within an epoch.
        every_minutes: float or None, minutes after which the state is saved within an epoch.
    """

    def __init__(self, run, progress, evaluation, clock, interruption, every_steps=None, every_minutes=None):
        super().__init__()
        self.run = run
        self.progress = progress
        self.evaluation = evaluation
        self.clock = clock
        self.interruption = interruption
        self.every_steps = every_steps
        self.every_seconds = None if every_minutes is None else 60 * every_minutes
        self._saved_at = clock()

    def on_train_batch_end(self, batch, logs=None):
        self.progress["step"] += 1
        self.interruption.check()
        due_by_steps = self.every_steps is not None and self.progress["step"] % self.every_steps == 0
        due_by_time = self.every_seconds is not None and self.clock() - self._saved_at >= self.every_seconds
        if due_by_steps or due_by_time:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.progress.update(epoch=epoch + 1, best=self.evaluation.best)
        self.save()
        self.interruption.check()

    def save(self):
        """Saves the state as it is now, unless the last update destroyed the weights: the next loss will show it."""
        if first_weight_that_is_not_finite(self.model) is not None:
            return
        self.progress["seconds"] = round(self.clock(), 1)
        self.run.save_state(self.model, self.progress)
        self._saved_at = self.clock()


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
