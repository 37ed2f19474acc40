"""What happens around the steps of a run: progress, the table of metrics, the state to resume from."""

import csv
import time

import keras

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.progress import progress_bar


class Reseed(keras.callbacks.Callback):
    """Sets every dropout's random state at the start of an epoch to a function of (seed, epoch).

    Random states are no weights, so no file keeps them: without this a resumed run would drop other units.
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        for index, generator in enumerate(seed_generators(self.model)):
            generator.state.assign([(self.seed * 1_000_003 + index) % 2**32, epoch])  # uint32


def seed_generators(model):
    """The seed generators of all layers, in the order of the layers."""
    found = []
    for layer in model._flatten_layers():
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            found.append(generator)
    return found


class MetricsTable(keras.callbacks.Callback):
    """Appends a row an epoch to metrics.csv: epoch, step, learning rate, seconds, then the epoch's logs."""

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
        written = _rows(self.path) or [list(row)]
        with atomic_write(self.path) as file:  # the whole table: it has a row an epoch
            csv.writer(file).writerows([*written, row.values()])


def drop_rows_after(path, epoch):
    """Cuts metrics.csv back to the epochs that a resumed run continues from."""
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

    The step, from which the data go on, comes from the epoch: an optimizer with loss scaling does not count the steps
    that it skips.
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
    """Shows how far the run is and the time left, and a line an epoch."""

    def __init__(self, done_steps, total_steps, steps_after, say):
        super().__init__()
        self.done_steps = done_steps
        self.total_steps = total_steps
        self.steps_after = steps_after
        self.say = say
        self.context = None

    def on_train_begin(self, logs=None):
        if self.context is None:
            self.context = progress_bar("training", self.total_steps - self.done_steps)
            self.advance = self.context.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        self.advance()

    def on_epoch_end(self, epoch, logs=None):
        shown = {name: f"{value:.4f}" for name, value in (logs or {}).items() if value == value}
        self.say(
            f"step {self.steps_after(epoch)}/{self.total_steps}  "
            + "  ".join(f"{name} {value}" for name, value in shown.items())
        )

    def close(self):
        """Takes the bar off the screen."""
        if self.context is not None:
            self.context.__exit__(None, None, None)
            self.context = None
