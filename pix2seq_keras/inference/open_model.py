"""Opens a REF, the name of a model in any form, as an object that detects."""

import re
import zipfile
from pathlib import Path

import keras

from pix2seq_keras import presets
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.finite_weights import first_weight_that_is_not_finite
from pix2seq_keras.models.pix2seq import Pix2Seq
from pix2seq_keras.models.untrusted_config import require_plausible
from pix2seq_keras.presets.weights import require_sound_archive, stored_shapes
from pix2seq_keras.untrusted import parse_json, read_member

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
RUN_WEIGHTS = ("best.keras", "last.keras")


def open_model(ref, retry_policy=None):
    """Opens a model.

    Args:
        ref: str or path: a preset's name, a run folder (its best weights), a `.keras` file, a preset folder, a
            SavedModel folder (of versions, of which the highest is taken, or of one), a `.tflite` file,
            `grpc://HOST:PORT/NAME` or `http://HOST:PORT/v1/models/NAME`.
        retry_policy: `RetryPolicy` for servers, or None for the default.

    Returns:
        `Pix2Seq`; or for an exported model, an object with the same `detect`, `categories` and `vocabulary`.

    Raises:
        InputError: if there is no such model, its file is damaged or holds another model, its weights are not finite,
            or the weights of a published model are missing.

    Example:
        >>> open_model("digits_tiny").detect("image.png")
        >>> open_model("http://localhost:8501/v1/models/digits").detect("image.png")
    """
    if scheme := _SCHEME.match(str(ref)):
        return _open_remote(str(ref), scheme[1].lower(), retry_policy)
    path = Path(ref)
    if presets.exists(ref):
        return _finite(Pix2Seq.from_preset(ref), ref)
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        if path.suffix == ".tflite":
            from pix2seq_keras.inference.tflite import open_tflite  # needs LiteRT, which nothing else does

            return open_tflite(path)
        return _open_keras(path)
    raise InputError(
        f"There is no model {str(ref)!r}. {presets.suggest(ref)} Or give a run folder, a preset folder, a .keras file, "
        "a SavedModel folder, a .tflite file, grpc://HOST:PORT/NAME or http://HOST:PORT/v1/models/NAME."
    )


def _open_folder(path):
    for name in RUN_WEIGHTS:
        if (path / name).is_file():
            return _open_keras(path / name)

    from pix2seq_keras.inference import saved_model

    if saved_model.versions_in(path):
        return saved_model.open_saved_model(path)
    raise InputError(
        f"{path} holds no model. A run folder has {' or '.join(RUN_WEIGHTS)}, a preset folder {presets.CONFIG}, a "
        "SavedModel saved_model.pb or a numbered folder with it."
    )


def _open_remote(url, scheme, retry_policy):
    if scheme == "grpc":
        from pix2seq_keras.inference.remote.grpc_client import open_grpc  # needs gRPC

        return open_grpc(url, retry_policy)
    if scheme in ("http", "https"):
        from pix2seq_keras.inference.remote.rest_client import open_rest  # needs requests

        return open_rest(url, retry_policy)
    raise InputError(f"The address of a served model must begin with grpc://, http:// or https://. Received: {url!r}")


def _open_keras(path):
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a .keras file, or it is damaged.")
    try:
        require_sound_archive(path)
    except Exception as error:  # a damaged file can fail anywhere in zipfile and zlib
        raise InputError(f"{path} is damaged: {str(error).rstrip('.')}.") from error
    try:
        with zipfile.ZipFile(path) as archive:
            config = parse_json(read_member(archive, presets.CONFIG), "its configuration")
        make = lambda: _require_pix2seq(keras.saving.deserialize_keras_object(config, safe_mode=True))
        require_plausible(make, config, lambda: stored_shapes(path))
        model = _require_pix2seq(keras.saving.load_model(path, compile=False, safe_mode=True))
    except Exception as error:  # likewise in h5py or Keras
        raise InputError(f"{path} cannot be opened as a model: {error}") from error
    return _finite(model, path)


def _require_pix2seq(model):
    if not isinstance(model, Pix2Seq):
        raise InputError(f"it holds a {type(model).__name__}, not a Pix2Seq")
    return model


def _finite(model, ref):
    """The model, if it can detect anything."""
    if (weight := first_weight_that_is_not_finite(model)) is not None:
        raise InputError(
            f"The weights of {ref} must be finite numbers. Received: NaN or infinity in {weight}, so nothing would be "
            "detected. Its training has failed: use other weights."
        )
    return model
