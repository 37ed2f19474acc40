"""Presets: folders that describe a model and hold its weights, and the published models by name."""

import difflib
import json
import shutil
from importlib import resources
from pathlib import Path

import keras

from pix2seq_keras.atomic_files import atomic_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.adapting import canvas_size, with_classes, with_dtype, with_image_size
from pix2seq_keras.models.saving import uncompiled
from pix2seq_keras.presets import published_models as published_presets
from pix2seq_keras.presets.weights import cached_weights, load_weights

CONFIG, WEIGHTS, CARD = "config.json", "model.weights.h5", "README.md"


def names():
    """List of str: the presets whose weights come with the package, then the published models."""
    return packaged_names() + published_presets.names()


def packaged_names():
    """Sorted list of str: the presets whose weights come with the package."""
    return sorted(entry.name for entry in _packaged().iterdir() if (entry / CONFIG).is_file())


def known(preset):
    """Sentences with what may be given as a preset's name, in short, and which of them is like `preset`."""
    like = difflib.get_close_matches(str(preset), names(), n=1)
    listed = "; ".join([*packaged_names(), published_presets.summary()])
    return f"{f'Did you mean {like[0]}? ' if like else ''}The presets are {listed}."


def exists(preset):
    """Whether `preset` is a name of `names()` or a preset folder."""
    return find(preset) is not None or str(preset) in published_presets.names()


def find(preset):
    """The folder of a preset, or `None`: published models have none.

    Args:
        preset: str or path: a name of `packaged_names()`, or a folder that `save` wrote.
    """
    name = str(preset)
    if name and (_packaged() / name / CONFIG).is_file():
        return _packaged() / name
    # A name means the preset, whatever lies in the working directory; ./NAME means the folder.
    if name and name not in published_presets.names() and (Path(preset) / CONFIG).is_file():
        return Path(preset)
    return None


def load(cls, preset, num_classes=None, weights="published", image_size=None, dtype=None):
    """Opens a preset.

    Args:
        cls: the model's class.
        preset: str or path: a name of `names()`, or a preset folder.
        num_classes: int or `None`: for other classes than the preset's, see `transfer.with_classes`.
        weights: `"published"` the folder's own, or those of a published model from the cache
            (`weights.weights_cache()`); `None` random ones; or the path or http(s) address of others, see
            `weights.load_weights`.
        image_size: int, (H, W) or `None`: for another canvas than the preset's, in pixels.
        dtype: str or `None`: the precision to compute in, see `transfer.with_dtype`.

    Returns:
        A `cls`.

    Raises:
        InputError: if there is no such preset, its files are damaged, the weights are missing or do not fit, or the
            model cannot have that canvas.

    Example:
        >>> load(Pix2Seq, "vit_b_640", weights=None, image_size=(480, 640))
    """
    canvas = None if image_size is None else canvas_size(image_size)
    folder = find(preset)
    if folder is not None:
        weights = folder / WEIGHTS if weights == "published" else weights
        model = _from_folder(cls, folder)
    elif str(preset) in published_presets.names():
        record = published_presets.get(str(preset))
        # What is missing is told before a large model is made.
        weights = cached_weights(record) if weights == "published" else weights
        model = _from_record(cls, record, canvas)
    else:
        raise InputError(f"There is no preset {str(preset)!r}. {known(preset)} Or give a preset folder.")
    if weights is not None:
        load_weights(model, weights)
    if canvas is not None and canvas != model.image_size:
        model = with_image_size(model, canvas)
    if num_classes is not None and num_classes != model.vocabulary.num_classes:
        model = with_classes(model, num_classes)
    return model if dtype is None else with_dtype(model, dtype)


def _from_folder(cls, folder):
    try:
        return cls.from_config(json.loads((folder / CONFIG).read_text())["config"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / CONFIG} does not describe a model: {error}") from error


def _from_record(cls, record, canvas):
    from pix2seq_keras.published.architecture import build  # builds on Pix2Seq, which opens presets

    config = record.config if canvas is None else {**record.config, "image_size": canvas}
    model = build(config, categories=record.categories)
    return model if type(model) is cls else cls.from_config(model.get_config())


def save(model, directory):
    """Writes a model as a preset folder, whole or not at all.

    Args:
        model: `Pix2Seq`.
        directory: path, which must not exist yet or be a preset folder, whose card (README.md) is kept.

    Raises:
        InputError: if something else is in the way, or the folder cannot be written.
    """
    directory = Path(directory)
    if directory.exists() and not _is_preset(directory):
        raise InputError(f"{directory} exists and is not a preset folder, or holds other files: choose another place.")
    config = {"class_name": type(model).__name__, "config": model.get_config()}
    with atomic_folder(directory) as folder:
        (folder / CONFIG).write_text(json.dumps(_plain(config), indent=1) + "\n")
        uncompiled(model).save_weights(folder / WEIGHTS)
        if (directory / CARD).is_file():
            shutil.copy(directory / CARD, folder / CARD)


def _is_preset(directory):
    """Whether nothing is lost when a new preset takes the folder's place: other programs have a config.json too."""
    try:
        entries = {entry.name for entry in directory.iterdir()}
        own = entries <= {CONFIG, WEIGHTS, CARD} and "class_name" in json.loads((directory / CONFIG).read_text())
    except (OSError, ValueError, TypeError):
        return False
    return own


def _plain(config):
    """A configuration as JSON types; tuples become lists as `json` would make them anyway."""
    return json.loads(json.dumps(config, default=keras.saving.serialize_keras_object))


def _packaged():
    return Path(str(resources.files("pix2seq_keras"))) / "presets"
