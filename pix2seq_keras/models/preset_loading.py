"""Presets become models, and models presets."""

import json
import shutil
from pathlib import Path

import keras

from pix2seq_keras.atomic_files import atomic_folder, write_error_message
from pix2seq_keras.canvas import canvas_size
from pix2seq_keras.errors import InputError
from pix2seq_keras.file_lock import file_lock
from pix2seq_keras.models.adapting import with_classes, with_dtype, with_image_size
from pix2seq_keras.models.saving import save_weights, uncompiled
from pix2seq_keras.models.untrusted_config import require_plausible
from pix2seq_keras.presets import CARD, CONFIG, WEIGHTS, find, packaged_names, published_models, suggest
from pix2seq_keras.presets.checkpoint_download import download_checkpoint
from pix2seq_keras.presets.download import is_url
from pix2seq_keras.presets.weight_shapes import WeightsError
from pix2seq_keras.presets.weights import (
    CACHE_VARIABLE,
    cached_weights,
    load_weights,
    missing_weights_error,
    stored_shapes,
    weights_cache,
    weights_error,
)
from pix2seq_keras.presets.weights_digest import DIGEST, file_digest
from pix2seq_keras.published.architecture import model_arguments
from pix2seq_keras.published.checkpoint_io import load_checkpoint
from pix2seq_keras.untrusted import parse_json, read_file


def load_preset(cls, preset, num_classes=None, weights="published", image_size=None, dtype=None):
    """Makes a model from a preset.

    Published weights are taken from the cache (`presets.weights.weights_cache()`). The first time, they are downloaded
    from their public bucket and converted into the cache; the downloaded checkpoint is then removed.

    Args:
        cls: type, the model's class.
        preset: str or path: a name of `presets.list_presets()`, or a preset folder.
        num_classes: int or `None`: for other classes than the preset's, see `adapting.with_classes`.
        weights: `"published"` the preset's own; `None` random ones; or the path or http(s) address of others, see
            `presets.weights.load_weights`.
        image_size: int, (H, W) or `None`: for another canvas than the preset's, in pixels.
        dtype: str or `None`: the precision to compute in, see `adapting.with_dtype`.

    Returns:
        A `cls`.

    Raises:
        InputError: if there is no such preset, its files are damaged, the weights cannot be downloaded or do not fit,
            or the model cannot have that canvas.

    Example:
        >>> load_preset(Pix2Seq, "vit_b_640", weights=None, image_size=(480, 640))
    """
    canvas = None if image_size is None else canvas_size(image_size)
    folder = find(preset)
    digest = None
    if folder is not None:
        own = weights == "published"
        weights = folder / WEIGHTS if own else weights
        model = _from_folder(cls, folder, weights)
        digest = _stored_digest(folder) if own else None
    elif str(preset) in published_models.names():
        record = published_models.get(str(preset))
        if weights == "published":
            model, weights = _with_published_weights(cls, record, canvas), None
        else:
            model = _from_record(cls, record, canvas)
    else:
        raise InputError(f"There is no preset {str(preset)!r}. {suggest(preset)} Or give a preset folder.")
    if weights is not None:
        load_weights(model, weights, digest)
    if canvas is not None and canvas != model.image_size:
        model = with_image_size(model, canvas)
    if num_classes is not None and num_classes != model.vocabulary.num_classes:
        model = with_classes(model, num_classes)
    return model if dtype is None else with_dtype(model, dtype)


def save_preset(model, directory):
    """Writes a model as a preset folder, completely or not at all.

    Args:
        model: `Pix2Seq`.
        directory: path, which must not exist yet or be a preset folder, whose card (README.md) is kept.

    Raises:
        InputError: if something else is there, or the folder cannot be written.

    Example:
        >>> save_preset(model, "presets/blood_cells")
    """
    directory = Path(directory)
    if directory.exists() and not _is_preset(directory):
        raise InputError(f"{directory} exists and is not a preset folder, or holds other files. Choose another folder.")
    with atomic_folder(directory) as folder:
        uncompiled(model).save_weights(folder / WEIGHTS)
        digest = {DIGEST: file_digest(folder / WEIGHTS)}
        config = {"class_name": type(model).__name__, **digest, "config": model.get_config()}
        (folder / CONFIG).write_text(json.dumps(_as_json(config), indent=1) + "\n")
        if (directory / CARD).is_file():
            shutil.copy(directory / CARD, folder / CARD)


def _from_folder(cls, folder, weights):
    """The model without its weights; of a folder of others, after a look at the weights that it will have."""
    path = folder / CONFIG
    try:
        document = parse_json(read_file(path, what="A configuration"), "it")
        if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
            raise InputError('it has no "config"')
        make = lambda: cls.from_config(document["config"])
        if folder.name not in packaged_names() or folder != find(folder.name):  # not one of the package's own
            is_file = weights is not None and not is_url(weights) and Path(weights).is_file()
            require_plausible(make, document, (lambda: stored_shapes(weights)) if is_file else None)
        return make()
    except WeightsError as error:
        raise weights_error(weights, error) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} does not describe a model: {error}") from error


def _stored_digest(folder):
    """The SHA-256 of its weights file that a preset names; None in presets of earlier versions."""
    document = parse_json(read_file(folder / CONFIG, what="A configuration"), "it")
    return document.get(DIGEST) if isinstance(document, dict) else None


def _from_record(cls, record, canvas):
    config = record.config if canvas is None else {**record.config, "image_size": canvas}
    return cls(**model_arguments(config, record.categories))


def _with_published_weights(cls, record, canvas):
    path = cached_weights(record)
    if path is None:
        if record.source is None:
            raise missing_weights_error(record)
        path = weights_cache() / f"{record.name}.weights.h5"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with file_lock(path.with_name(f".{record.name}.lock")):
                cached = cached_weights(record)  # another process may have written them meanwhile
                if cached is None:
                    return _download_and_convert(cls, record, canvas, path)
                path = cached
        except OSError as error:
            raise InputError(f"{write_error_message(path, error)} {CACHE_VARIABLE} sets the folder.") from error
    model = _from_record(cls, record, canvas)
    load_weights(model, path)
    return model


def _download_and_convert(cls, record, canvas, path):
    """The model with the weights of the published checkpoint, which are also written to `path`."""
    folder = weights_cache() / f"{record.name}.checkpoint"
    try:
        checkpoint = download_checkpoint(record.source, folder)
    except InputError as error:
        raise missing_weights_error(record, error) from error
    model = _from_record(cls, record, canvas)
    try:
        load_checkpoint(model, checkpoint)
    except InputError as error:
        shutil.rmtree(folder, ignore_errors=True)  # otherwise every later call would fail on the same files
        raise InputError(
            f"The weights of {record.name} cannot be converted, and the downloaded checkpoint was removed. {error}"
        ) from error
    save_weights(model, path)
    shutil.rmtree(folder, ignore_errors=True)
    return model


def _is_preset(directory):
    """Whether the folder holds a preset only. Other programs write a config.json too."""
    try:
        entries = {entry.name for entry in directory.iterdir()}
        own = entries <= {CONFIG, WEIGHTS, CARD} and "class_name" in parse_json(read_file(directory / CONFIG), CONFIG)
    except (OSError, ValueError, TypeError):
        return False
    return own


def _as_json(config):
    """A configuration with JSON types only: tuples become lists, Keras objects their configuration."""
    return json.loads(json.dumps(config, default=keras.saving.serialize_keras_object))
