"""Weights for a model that exists: from a file, a checkpoint folder, the web, or the cache of published ones."""

import os
import shlex
import zipfile
from pathlib import Path

import h5py

from pix2seq_keras.errors import InputError
from pix2seq_keras.presets.download import download, file_name, is_url

ENDINGS = (".weights.h5", ".keras")
PARTS = ("encoder", "bridge", "embedding", "decoder")
CACHE_VARIABLE = "PIX2SEQ_CACHE_DIR"


def weights_cache():
    """The folder where converted published weights are looked for and downloads are kept.

    Returns:
        `pathlib.Path`: PIX2SEQ_CACHE_DIR, or `~/.cache/pix2seq_keras/weights`.
    """
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/pix2seq_keras/weights").expanduser()


def load_weights(model, weights):
    """Fills a model.

    Args:
        model: `Pix2Seq`.
        weights: path of a `.weights.h5` or `.keras` file (of which only the weights are read), or of a checkpoint in
            the published layout (its folder, or its path without an ending); or the http(s) address of such a file,
            see `models.download`.

    Raises:
        InputError: naming what is missing, of another model or damaged. (A `.weights.h5` file has no check sums: where
            only numbers in it were changed, nobody can tell.)
    """
    if is_url(weights):
        address = str(weights).partition("#")[0]
        if not file_name(address).endswith(ENDINGS):  # before a gigabyte comes
            raise InputError(f"Weights must be a file ending in {' or '.join(ENDINGS)}. Received: {weights}")
        weights = download(weights, weights_cache())
    path = Path(weights).expanduser()
    if path.is_dir() or path.with_name(f"{path.name}.index").is_file():
        from pix2seq_keras.published.checkpoint_io import load_checkpoint  # builds on Pix2Seq, which opens presets

        load_checkpoint(model, path)
        return
    if not path.is_file():
        raise InputError(f"There is no weights file {path}.")
    if not path.name.endswith(ENDINGS):
        raise InputError(f"Weights must be a file ending in {' or '.join(ENDINGS)}, or a folder. Received: {path}")
    try:
        _check(model, path)
        model.load_weights(path)
    except Exception as error:  # a damaged file can fail anywhere in zipfile, h5py or Keras
        raise InputError(f"The weights in {path} do not fit the model, or the file is damaged: {error}") from error


def cached_weights(preset):
    """The cached file with the converted weights of a published model.

    Args:
        preset: `PublishedPreset`.

    Returns:
        `pathlib.Path`.

    Raises:
        InputError: if it is not there; the message says how to get it.
    """
    for ending in reversed(ENDINGS):
        path = weights_cache() / f"{preset.name}{ending}"
        if path.is_file():
            return path
    wanted = weights_cache() / f"{preset.name}.keras"
    own = "Or give weights=PATH or weights=URL for weights of your own, or weights=None for random ones."
    if preset.source is None:
        raise InputError(
            f"The weights of {preset.name} were never published, and there are none at {wanted}. "
            f"Put weights that you trained there. {own}"
        )
    folder = preset.source.rpartition("/")[2]
    raise InputError(
        f"The weights of {preset.name} are not at {wanted}. They are published at {preset.source}; fetch and convert "
        "them once with\n"
        f"  gsutil -m cp -r {preset.source} .\n"
        f"  pix2seq convert --preset {preset.name} --checkpoint {folder} --output {shlex.quote(str(wanted))}\n"
        f"{own}"
    )


def _check(model, path):
    """A `ValueError` unless the file holds as many arrays as the model: Keras passes over extra ones."""
    if path.suffix != ".keras":
        with h5py.File(path) as file:
            _check_counts(model, file)
        return
    with zipfile.ZipFile(path) as archive:
        # Keras reads here and there in the weights, past the check sums: damaged ones would load as others.
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"{damaged} in it is not what was written")
        with archive.open("model.weights.h5") as stored, h5py.File(stored) as file:
            _check_counts(model, file)


def _check_counts(model, file):
    for part in PARTS:
        count, wanted = _count_arrays(file[part]), len(getattr(model, part).weights)
        if count != wanted:
            raise ValueError(f"its {part} has {count} arrays, the model's {wanted}")


def _count_arrays(group):
    count = 0

    def visit(_, item):
        nonlocal count
        count += isinstance(item, h5py.Dataset)

    group.visititems(visit)
    return count
