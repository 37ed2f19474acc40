"""A REF, whatever it points at, becomes something that detects."""

import re
import zipfile
from pathlib import Path

import keras

from pix2seq_keras import presets
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import saved_model
from pix2seq_keras.models import Pix2Seq

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
RUN_WEIGHTS = ("best.keras", "last.keras")


def open_model(ref, retry_policy=None):
    """Opens a model.

    Args:
        ref: str or path: a preset's name, a run folder (its best weights), a `.keras` file, a preset folder, a
            SavedModel folder (of versions, of which the highest is taken, or of one), a `.tflite` file,
            `grpc://HOST:PORT/NAME` or `http://HOST:PORT/v1/models/NAME`.
        retry_policy: `RetryPolicy` with servers, or `None` for the default.

    Returns:
        `Pix2Seq`; or of what was exported, an object with the same `detect`, `categories` and `vocabulary`.

    Raises:
        InputError: if nothing is there, or it is damaged or no Pix2Seq; or if a published model's weights are missing.

    Example:
        >>> open_model("digits_tiny").detect("image.png")
        >>> open_model("http://localhost:8501/v1/models/digits").detect("image.png")
    """
    if scheme := _SCHEME.match(str(ref)):
        return _open_served(str(ref), scheme[1].lower(), retry_policy)
    path = Path(ref)
    if presets.exists(ref):
        return Pix2Seq.from_preset(ref)
    if path.is_dir():
        for name in RUN_WEIGHTS:
            if (path / name).is_file():
                return _open_keras(path / name)
        if saved_model.versions_in(path):
            return saved_model.open_saved_model(path)
        raise InputError(
            f"{path} holds no model: a run folder has {' or '.join(RUN_WEIGHTS)}, a preset folder {presets.CONFIG}, a "
            "SavedModel saved_model.pb or a numbered folder with it."
        )
    if path.is_file():
        if path.suffix == ".tflite":
            from pix2seq_keras.inference.tflite import open_tflite  # its interpreter is another library's

            return open_tflite(path)
        return _open_keras(path)
    raise InputError(
        f"There is no model {str(ref)!r}. {presets.suggest(ref)} Or give a run folder, a preset folder, a .keras file, "
        "a SavedModel folder, a .tflite file, grpc://HOST:PORT/NAME or http://HOST:PORT/v1/models/NAME."
    )


def _open_served(url, scheme, retry_policy):
    if scheme == "grpc":
        from pix2seq_keras.inference.remote.grpc_client import open_grpc

        return open_grpc(url, retry_policy)
    if scheme in ("http", "https"):
        from pix2seq_keras.inference.remote.rest_client import open_rest

        return open_rest(url, retry_policy)
    raise InputError(f"{url!r} cannot be opened: a served model is at grpc://…, http://… or https://….")


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
