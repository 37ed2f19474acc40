"""Model files: weights and configuration without optimizer state, whole or not at all."""

import contextlib
from pathlib import Path

from pix2seq_keras.errors import InputError


def uncompiled(model):
    """A copy that was never compiled: optimizer state would triple a file that is read for its weights."""
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
    temporary = path.with_name(f".{path.stem}.tmp.keras")  # Keras goes by the ending
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        uncompiled(model).save(temporary)
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"The model cannot be written to {path}: {error.strerror or error}. "
            "Choose a folder that can be written and has space."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # where it cannot even be looked for, it is not
            temporary.unlink()
