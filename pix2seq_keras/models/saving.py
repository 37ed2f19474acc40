"""Model files without optimizer state, written atomically."""

import contextlib
import os
import tempfile
import zipfile
from pathlib import Path

import keras

from pix2seq_keras.atomic_files import atomic_write, write_error_message
from pix2seq_keras.errors import InputError


def uncompiled(model):
    """A model without optimizer state, which would triple the size of a file.

    Args:
        model: a Keras model that its configuration describes.

    Returns:
        The model itself if it was never compiled, else a copy.

    Example:
        >>> uncompiled(model).save_weights("best.weights.h5")
    """
    if not model.compiled:
        return model
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def save_model(model, path):
    """Writes a `.keras` file without optimizer state, atomically: `path` is the old file until the new one is complete.

    Args:
        model: a Keras model that its configuration describes.
        path: path ending in `.keras`; its folder is made if it is missing.

    Raises:
        InputError: if it cannot be written.

    Example:
        >>> save_model(model, "runs/mine/best.keras")
    """
    # To write an archive, Keras copies all weights in memory. Into a folder it writes them directly.
    with _folder_beside(path) as folder:
        keras.saving.save_model(uncompiled(model), folder, zipped=False)
        with atomic_write(path, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for part in sorted(part for part in folder.rglob("*") if part.is_file()):
                archive.write(part, part.relative_to(folder))


def save_weights(model, path):
    """Writes a `.weights.h5` file without optimizer state, atomically as `save_model`.

    Args:
        model: a Keras model that its configuration describes.
        path: path ending in `.weights.h5`; its folder is made if it is missing.

    Raises:
        InputError: if it cannot be written.

    Example:
        >>> save_weights(model, "cache/vit_b_640.weights.h5")
    """
    with _folder_beside(path) as folder:
        part = folder / Path(path).name
        uncompiled(model).save_weights(part)
        with part.open("r+b") as file:
            os.fsync(file.fileno())  # without it, a power failure can leave an empty file under the final name
        os.replace(part, path)


@contextlib.contextmanager
def _folder_beside(path):
    """A temporary folder on the file system of `path`; what cannot be written becomes an `InputError` about `path`."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise InputError(write_error_message(path, error)) from error
