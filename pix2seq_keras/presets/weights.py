"""Weights for a model that exists: from a file, a checkpoint, a web address, or the cache of published weights."""

import os
import shlex
import zipfile
from pathlib import Path

import h5py

from pix2seq_keras.errors import InputError
from pix2seq_keras.presets.download import download, file_name, is_url
from pix2seq_keras.presets.lookup import CONFIG
from pix2seq_keras.presets.weight_shapes import MOST_UNPACKED, WeightsError, require_equal_shapes, shapes_in_file
from pix2seq_keras.presets.weights_digest import file_digest
from pix2seq_keras.published.checkpoint_io import load_checkpoint
from pix2seq_keras.untrusted import MAX_BYTES

ENDINGS = (".weights.h5", ".keras")
_WEIGHTS_IN_KERAS = "model.weights.h5"
CACHE_VARIABLE = "PIX2SEQ_CACHE_DIR"


def weights_cache():
    """The folder of converted published weights and of weights downloaded from other addresses.

    Returns:
        `pathlib.Path`: PIX2SEQ_CACHE_DIR, or `~/.cache/pix2seq_keras/weights`.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/pix2seq_keras/weights").expanduser()


def load_weights(model, weights, digest=None):
    """Loads weights into a model.

    Args:
        model: `Pix2Seq`.
        weights: str or path: a `.weights.h5` or `.keras` file (of a `.keras` file only the weights are used); a
            checkpoint in the published layout (its folder, or its path without an ending); or the http(s) address of
            such a file, see `download.download`.
        digest: str or None, the SHA-256 that the file must have. Defaults to None, any.

    Raises:
        InputError: if the weights are missing, damaged or of another model. Changed numbers in a `.weights.h5` file of
            version 0.2.0 or before, which carries no SHA-256, are not detected.

    Example:
        >>> load_weights(model, "https://example.org/cells.weights.h5#sha256=9f86…")
    """
    if is_url(weights):
        address = str(weights).partition("#")[0]
        if not file_name(address).endswith(ENDINGS):  # checked before a large download
            raise InputError(f"`weights` must be a file ending in {' or '.join(ENDINGS)}. Received: {weights}")
        weights = download(weights, weights_cache())
    path = Path(weights).expanduser()
    if path.is_dir() or path.with_name(f"{path.name}.index").is_file():
        load_checkpoint(model, path)
        return
    if not path.is_file():
        raise InputError(f"There is no weights file {path}.")
    if not path.name.endswith(ENDINGS):
        raise InputError(f"`weights` must be a file ending in {' or '.join(ENDINGS)}, or a folder. Received: {path}")
    try:
        if digest is not None and file_digest(path) != digest:
            raise ValueError(f"its SHA-256 is not {digest}, which the preset's {CONFIG} names")
        if path.suffix == ".keras":
            require_sound_archive(path)
        require_equal_shapes(model, stored_shapes(path))
        model.load_weights(path)
    except Exception as error:  # a damaged file can fail anywhere in zipfile, h5py or Keras
        raise weights_error(path, error) from error


def weights_error(path, error):
    """The `InputError` for a file that does not hold a model's weights."""
    return InputError(f"The weights in {path} do not fit the model, or the file is damaged: {error}")


def cached_weights(record):
    """The cached file with the converted weights of a published model.

    Args:
        record: `published_models.PublishedModel`.

    Returns:
        `pathlib.Path`, or `None` if it is not in the cache.
    """
    paths = (weights_cache() / f"{record.name}{ending}" for ending in reversed(ENDINGS))
    return next((path for path in paths if path.is_file()), None)


def missing_weights_error(record, error=None):
    """The error for published weights that are neither in the cache nor can be downloaded.

    Args:
        record: `published_models.PublishedModel`.
        error: exception that ended the download, or `None`.

    Returns:
        `InputError`, whose message says what failed and how else to get the weights.
    """
    file = weights_cache() / f"{record.name}.keras"
    others = "pass `weights=PATH` or `weights=URL` for other weights, or `weights=None` for random ones."
    if record.source is None:
        return InputError(
            f"The weights of {record.name} were never published, and there are none at {file}. Put weights that you "
            f"trained there; or {others}"
        )
    folder = record.source.rpartition("/")[2]
    return InputError(
        f"The weights of {record.name} cannot be downloaded. {error}\n"
        "Run this again with an internet connection: the weights are then downloaded and converted once, into "
        f"{weights_cache()}. Or fetch and convert them by hand:\n"
        f"  gsutil -m cp -r {record.source} .\n"
        f"  pix2seq convert --preset {record.name} --checkpoint {folder} --output {shlex.quote(str(file))}\n"
        f"Or {others}"
    )


def stored_shapes(path):
    """The shapes of the weights in a file, read without them.

    Args:
        path: path of a `.weights.h5` or `.keras` file.

    Returns:
        dict, see `weight_shapes.shapes_in_file`.

    Raises:
        WeightsError: if it is damaged, or holds no such weights.
    """
    path = Path(path)
    try:
        if path.suffix != ".keras":
            with h5py.File(path) as file:
                return shapes_in_file(file, path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(_WEIGHTS_IN_KERAS).compress_size
            with archive.open(_WEIGHTS_IN_KERAS) as stored, h5py.File(stored) as file:
                return shapes_in_file(file, size)
    except WeightsError:
        raise
    except Exception as error:  # a damaged file can fail anywhere in zipfile or h5py
        raise WeightsError(str(error)) from error


def require_sound_archive(path):
    """Checks every member of a `.keras` file: its sum, and that it does not unpack to much more than it has.

    Keras seeks in the file and so skips the archive's check sums: damaged weights would load as other numbers.

    Args:
        path: path.

    Raises:
        InputError: naming the first damaged member.
        zipfile.BadZipFile, zlib.error, …: if the archive itself is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > MOST_UNPACKED * member.compress_size + MAX_BYTES:
                raise InputError(f"{member.filename} in it unpacks to {member.file_size:,} bytes")
        if (damaged := archive.testzip()) is not None:
            raise InputError(f"{damaged} in it is not what was written")
