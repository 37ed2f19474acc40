"""A REF, whatever it points at, becomes something that detects."""

import zipfile
from pathlib import Path

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.models import Pix2Seq, presets

RUN_WEIGHTS = ("best.keras", "last.keras")


def open_model(ref):
    """Opens a model.

    Args:
        ref: str or path: a preset's name, a run folder (its best weights), a `.keras` file, or a preset folder.

    Returns:
        `Pix2Seq`.

    Raises:
        InputError: if nothing is there, or it is damaged or no Pix2Seq; or if a published model's weights are missing.

    Example:
        >>> open_model("digits_tiny").detect("picture.png")
    """
    path = Path(ref)
    if presets.exists(ref):
        return Pix2Seq.from_preset(ref)
    if path.is_dir():
        for name in RUN_WEIGHTS:
            if (path / name).is_file():
                return _open_keras(path / name)
        raise InputError(
            f"{path} holds no model: a run folder has {' or '.join(RUN_WEIGHTS)}, a preset folder {presets.CONFIG}."
        )
    if path.is_file():
        return _open_keras(path)
    raise InputError(
        f"There is no model {str(ref)!r}. {presets.known(ref)} Or give a run folder, a preset folder or a .keras file."
    )


def _open_keras(path):
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a .keras file, or it is damaged.")
    try:
        with zipfile.ZipFile(path) as archive:
            # Keras reads here and there in the weights, past the check sums: damaged ones would load as others.
            if (damaged := archive.testzip()) is not None:
                raise InputError(f"{path} is damaged: {damaged} in it is not what was written.")
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # a damaged file can fail anywhere in zipfile, zlib, h5py or Keras
        raise InputError(f"{path} cannot be opened as a model: {error}") from error
    if not isinstance(model, Pix2Seq):
        raise InputError(f"{path} holds a {type(model).__name__}, not a Pix2Seq.")
    return model
