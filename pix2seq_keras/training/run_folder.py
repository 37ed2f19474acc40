"""The folder of a training run. Every file in it is written atomically."""

import contextlib
import shutil
from pathlib import Path

from pix2seq_keras.atomic_files import require_writable_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.file_lock import file_lock
from pix2seq_keras.training.run_state import load_state, save_state


class RunFolder:
    """The files of a run: their paths, and the state to resume from.

    Args:
        path: str or path of the folder.

    Attributes:
        recipe, metrics, log, curves, gallery, best, last, state, previous, summary: paths of its files.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.recipe = self.path / "recipe.yaml"
        self.metrics = self.path / "metrics.csv"
        self.log = self.path / "train.log"
        self.curves = self.path / "curves.png"
        self.gallery = self.path / "gallery.png"
        self.best = self.path / "best.keras"
        self.last = self.path / "last.keras"
        self.state = self.path / "state.npz"
        self.previous = self.path / "state.previous.npz"
        self.summary = self.path / "summary.json"

    def create(self, resume):
        """Makes the folder.

        Args:
            resume: bool, whether to continue the run in it.

        Raises:
            InputError: if the folder cannot be written, if it holds a run and `resume` is False, or if it holds none
                and `resume` is True.
        """
        if resume and not self.recipe.is_file():
            raise InputError(
                f"`resume` requires the folder of a run: {self.path} has no {self.recipe.name}. Leave it out, or give "
                "another `output`."
            )
        if not resume and self.recipe.exists():
            raise InputError(
                f"`output` already holds a run. Received: output={self.path}. Give `resume` to continue it, or another "
                "`output`."
            )
        require_writable_folder(self.path)

    @contextlib.contextmanager
    def lock(self):
        """Context in which this process alone trains in the folder.

        It also removes what a killed process left: temporary files and folders, which nobody else can be using now.

        Raises:
            InputError: if another process trains in it.
        """
        try:
            with file_lock(self.path / ".lock", wait=False):
                for left in [*self.path.glob(".*.tmp"), *self.path.glob(".best-*"), *self.path.glob(".last-*")]:
                    shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
                yield
        except BlockingIOError as error:
            raise InputError(
                f"`output` must not be in use by another training. Received: output={self.path}, where one is running. "
                "Wait for its end, stop it, or give another `output`."
            ) from error

    @property
    def has_state(self):
        """Whether there is a state to resume from."""
        return self.state.is_file() or self.previous.is_file()

    def save_state(self, model, progress):
        """Writes the state to resume from, and keeps the one before; see `run_state.save_state`."""
        save_state(self.state, self.previous, model, progress)

    def load_state(self, model, last_step=None):
        """Loads the newest state that is whole into a model; see `run_state.load_state`.

        Raises:
            InputError: if no state can be used, or the state is missing although the run has results.
        """
        progress, path, problems = load_state([self.state, self.previous], model, last_step)
        if path is None and self.best.exists():
            raise InputError(
                f"`resume` requires the state of the run. Received: {self.path} without {self.state.name}. Training "
                f"would start again and replace {self.best.name}. Give another `output` to train anew."
            )
        return progress, path, problems
