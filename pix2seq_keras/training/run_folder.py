"""The folder of a training run. Every file in it is written atomically."""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from pix2seq_keras.atomic_files import atomic_write, require_writable_folder
from pix2seq_keras.errors import InputError

# The progress of a run before its first step.
START = {"epoch": 0, "step": 0, "best": None}


class RunFolder:
    """The files of a run: their paths, and the state to resume from.

    Args:
        path: str or path of the folder.

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

    def save_state(self, model, progress):
        """Writes all that a resumed run needs to give the same results as an uninterrupted one.

        Args:
            model: compiled `Pix2Seq`.
            progress: dict of JSON values: epoch, step, best AP.

        Raises:
            InputError: if the file cannot be written.
        """
        arrays = {f"weight_{index}": np.asarray(value) for index, value in enumerate(model.weights)}
        variables = model.optimizer.variables
        arrays.update({f"optimizer_{index}": np.asarray(value) for index, value in enumerate(variables)})
        with atomic_write(self.state, "wb") as file:
            np.savez(file, progress=np.array(json.dumps(progress)), **arrays)

    def load_state(self, model):
        """Loads the saved state into a model.

        Args:
            model: compiled `Pix2Seq`.

        Returns:
            The progress given to `save_state`; or `START`, if the run was stopped before it saved its first state.

        Raises:
            InputError: if the file is damaged or belongs to another model.
        """
        if not self.state.is_file():
            return dict(START)
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
