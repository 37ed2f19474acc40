"""The folder a training run leaves behind; every file in it is written whole or not at all."""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from pix2seq_keras.atomic_files import atomic_write, require_writable_folder
from pix2seq_keras.errors import InputError

# The progress of a run that has not begun.
BEGINNING = {"epoch": 0, "step": 0, "best": None}


class RunFolder:
    """Names and writes the files of a run.

    Args:
        path: path of the folder.

    Attributes:
        recipe, metrics, log, curves, gallery, best, last, state, summary: paths of its files.
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
        self.summary = self.path / "summary.json"

    def create(self, resume):
        """Makes the folder.

        Raises:
            InputError: if it cannot be written, if it holds a run that `resume` does not ask to continue, or if
                `resume` asks for one that is not there.
        """
        if resume and not self.recipe.is_file():
            raise InputError(f"There is no run to resume in {self.path}: it has no {self.recipe.name}.")
        if not resume and self.recipe.exists():
            raise InputError(f"{self.path} already holds a run. Give --resume to continue it, or another --output.")
        require_writable_folder(self.path)

    def save_state(self, model, progress):
        """Writes what a resumed run needs to equal an uninterrupted one.

        Args:
            model: compiled `Pix2Seq`.
            progress: dictionary of JSON values: epoch, step, best AP.
        """
        arrays = {f"weight_{index}": np.asarray(value) for index, value in enumerate(model.weights)}
        variables = model.optimizer.variables
        arrays.update({f"optimizer_{index}": np.asarray(value) for index, value in enumerate(variables)})
        with atomic_write(self.state, "wb") as file:
            np.savez(file, progress=np.array(json.dumps(progress)), **arrays)

    def load_state(self, model):
        """Puts the saved state into a compiled model; returns the progress of `save_state`.

        A run that was stopped before its first state was saved starts at its beginning.

        Raises:
            InputError: if the file is damaged or of another model.
        """
        if not self.state.is_file():
            return dict(BEGINNING)
        try:
            with np.load(self.state, allow_pickle=False) as arrays:
                progress = json.loads(str(arrays["progress"]))
                model.optimizer.build(model.trainable_variables)
                for prefix, variables in (("weight", model.weights), ("optimizer", model.optimizer.variables)):
                    for index, variable in enumerate(variables):
                        variable.assign(arrays[f"{prefix}_{index}"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(f"{self.state} does not continue this run: {error}") from error
        return progress
