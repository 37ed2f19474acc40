"""Model files: weights and configuration without optimizer state, whole or not at all."""

import tempfile
import zipfile
from pathlib import Path

import keras

from pix2seq_keras.atomic_files import atomic_write, unwritable
from pix2seq_keras.errors import InputError


def uncompiled(model):
    """The model, or a copy if it was compiled: optimizer state would triple a file that is read for its weights."""
    if not model.compiled:
        return model
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def save_model(model, path):
    """Writes a `.keras` file without optimizer state; a reader of `path` finds the old file or the new one.

    Args:
        model: a Keras model that its configuration describes.
        path: path ending in `.keras`.

    Raises:
        InputError: if it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Keras writes an archive by way of a copy of all weights in memory; a folder's weights go straight to the disk.
        with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as parts:
            keras.saving.save_model(uncompiled(model), parts, zipped=False)
            with atomic_write(path, "wb") as file, zipfile.ZipFile(file, "w") as archive:
                for part in sorted(part for part in Path(parts).rglob("*") if part.is_file()):
                    archive.write(part, part.relative_to(parts))
    except OSError as error:
        raise InputError(unwritable(path, error)) from error
