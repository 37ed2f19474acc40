"""Presets: folders that describe a model and hold its weights."""

import json
import shutil
import tempfile
from importlib import resources
from pathlib import Path

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.models.files import uncompiled
from pix2seq_keras.models.transfer import with_classes

CONFIG, WEIGHTS, CARD = "config.json", "model.weights.h5", "README.md"


def names():
    """Sorted list of str: the presets that come with the package."""
    return sorted(entry.name for entry in _packaged().iterdir() if (entry / CONFIG).is_file())


def find(preset):
    """The folder of a preset, or `None`.

    Args:
        preset: str or path: a name of `names()`, or a folder that `save` wrote.
    """
    for folder in (_packaged() / str(preset), Path(preset)):
        if str(preset) and (folder / CONFIG).is_file():
            return folder
    return None


def load(cls, preset, num_classes=None, weights="published"):
    """Opens a preset.

    Args:
        cls: the model's class.
        preset: str or path: a name of `names()`, or a preset folder.
        num_classes: int or `None`: for other classes than the preset's; their tokens start at random, everything
            else keeps its weights.
        weights: `"published"` the folder's own; `None` random ones; or the path of a `.weights.h5` file.

    Returns:
        A `cls`.

    Raises:
        InputError: if there is no such preset, its files are damaged, or the weights do not fit.
    """
    folder = find(preset)
    if folder is None:
        raise InputError(f"There is no preset {str(preset)!r}. Use one of {', '.join(names())}, or a preset folder.")
    try:
        model = cls.from_config(json.loads((folder / CONFIG).read_text())["config"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / CONFIG} does not describe a model: {error}") from error
    if weights is not None:
        path = folder / WEIGHTS if weights == "published" else Path(weights)
        load_weights(model, path)
    if num_classes is not None and num_classes != model.vocabulary.num_classes:
        model = with_classes(model, num_classes)
    return model


def load_weights(model, path):
    """Loads a `.weights.h5` file; an `InputError` names it where it is missing, damaged or of another model."""
    if not Path(path).is_file():
        raise InputError(f"There is no weights file {path}.")
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"The weights in {path} do not fit the model, or the file is damaged: {error}") from error


def save(model, directory):
    """Writes a model as a preset folder, whole or not at all.

    Args:
        model: `Pix2Seq`.
        directory: path, which must not exist yet or be a preset folder, whose card (README.md) is kept.

    Raises:
        InputError: if something else is in the way, or the folder cannot be written.
    """
    directory = Path(directory)
    if directory.exists() and not (directory / CONFIG).is_file():
        raise InputError(f"{directory} exists and is not a preset folder: choose another place.")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise InputError(f"The preset cannot be written to {directory}: {error.strerror}.") from error
    try:
        temporary.chmod(0o755)
        config = {"class_name": type(model).__name__, "config": model.get_config()}
        (temporary / CONFIG).write_text(json.dumps(_plain(config), indent=1) + "\n")
        uncompiled(model).save_weights(temporary / WEIGHTS)
        if (directory / CARD).is_file():
            shutil.copy(directory / CARD, temporary / CARD)
        if directory.exists():
            old = temporary.with_name(temporary.name + "-old")
            directory.rename(old)
            temporary.rename(directory)
            shutil.rmtree(old)
        else:
            temporary.rename(directory)
    except OSError as error:
        raise InputError(f"The preset cannot be written to {directory}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _plain(config):
    """A configuration as JSON types; tuples become lists as `json` would make them anyway."""
    return json.loads(json.dumps(config, default=keras.saving.serialize_keras_object))


def _packaged():
    return Path(str(resources.files("pix2seq_keras"))) / "presets"
