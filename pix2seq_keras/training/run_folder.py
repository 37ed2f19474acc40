"""The folder a training run leaves behind; every file in it is written whole or not at all."""

import json
import os
from pathlib import Path

import numpy as np

from pix2seq_keras.errors import InputError


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
        if resume and not (self.recipe.is_file() and self.state.is_file()):
            raise InputError(f"There is no run to resume in {self.path}: it needs recipe.yaml and state.npz.")
        if not resume and self.recipe.exists():
            raise InputError(f"{self.path} already holds a run. Give --resume to continue it, or another --output.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InputError(f"The run cannot be written to {self.path}: {error.strerror}.") from error

    def write_text(self, path, text):
        """Writes a text file of the run."""
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text(text)
        os.replace(temporary, path)

    def write_json(self, path, values):
        """Writes a JSON file of the run."""
        self.write_text(path, json.dumps(values, indent=1) + "\n")

    def save_state(self, model, progress):
        """Writes what a resumed run needs to equal an uninterrupted one.

        Args:
            model: compiled `Pix2Seq`.
            progress: dictionary of JSON values: epoch, step, best AP.
        """
        arrays = {f"weight_{index}": np.asarray(value) for index, value in enumerate(model.weights)}
        variables = model.optimizer.variables
        arrays.update({f"optimizer_{index}": np.asarray(value) for index, value in enumerate(variables)})
        temporary = self.path / ".state.tmp.npz"
        with temporary.open("wb") as file:
            np.savez(file, progress=np.array(json.dumps(progress)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.state)

    def load_state(self, model):
        """Puts the saved state into a compiled model; returns the progress of `save_state`.

        Raises:
            InputError: if the file is damaged or of another model.
        """
        try:
            with np.load(self.state, allow_pickle=False) as arrays:
                progress = json.loads(str(arrays["progress"]))
                model.optimizer.build(model.trainable_variables)
                for prefix, variables in (("weight", model.weights), ("optimizer", model.optimizer.variables)):
                    for index, variable in enumerate(variables):
                        variable.assign(arrays[f"{prefix}_{index}"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{self.state} does not continue this run: {error}") from error
        return progress
