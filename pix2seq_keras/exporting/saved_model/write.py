"""Writing a SavedModel that TensorFlow Serving loads, as an atomic write."""

import json
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from pix2seq_keras.atomic_files import FolderTakenError, atomic_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import FILE_NAME
from pix2seq_keras.exporting.saved_model.warm_up import write_warm_up
from pix2seq_keras.exporting.signature import Signature
from pix2seq_keras.exporting.write_errors import write_errors

# In a folder with one of these, `open_model` would not look for versions.
NOT_A_BASE_FOLDER = ("best.keras", "last.keras", "config.json")


def write_saved_model(folder, signatures, description, warm_up=(), replace=True):
    """Writes a SavedModel with one more signature: `describe`, which returns the description for every key it is sent.

    Args:
        folder: path, which must be replaceable, see `require_replaceable`.
        signatures: dictionary of name -> `Signature`.
        description: dictionary for JSON, written as the asset `pix2seq.json`.
        warm_up: list of (signature, dictionary of input -> array), requests that a server sends to itself at its start.
        replace: bool, whether a SavedModel may be replaced, also one that another export writes meanwhile.

    Raises:
        InputError: if the folder cannot be written, or another export made it meanwhile.
    """
    folder = Path(folder)
    try:
        _write(folder, signatures, description, warm_up, replace)
    except FolderTakenError as error:
        raise InputError(
            f"{folder.parent}: version {folder.name} was just made by another export. Export again, which takes the "
            "next number, or choose a number."
        ) from error


def _write(folder, signatures, description, warm_up, replace):
    archive = keras.export.ExportArchive()
    with tempfile.TemporaryDirectory() as aside, atomic_folder(folder, replace) as temporary:
        text = Path(aside) / FILE_NAME
        text.write_text(json.dumps(description, ensure_ascii=False) + "\n", encoding="utf-8")
        table = _line_table(text)  # a lookup table makes the file an asset, by public API of ExportArchive
        archive.track(table)
        for name, signature in {**signatures, "describe": _describe_signature(table)}.items():
            archive.add_endpoint(name, signature.endpoint())
        with write_errors(folder):
            archive.write_out(str(temporary), verbose=False)
            write_warm_up(temporary, warm_up)


def version_folder(base, version=None):
    """The folder of a model's version: a server serves the highest of the numbers in its base folder.

    Args:
        base: path.
        version: int, or None for the number after the highest there is.

    Returns:
        `pathlib.Path`.

    Raises:
        InputError: if that version exists already, or is not a number that a server takes.
    """
    base = Path(base)
    if base.exists() and not base.is_dir():
        raise InputError(f"The output must be a folder, but {base} is a file: choose another output.")
    if (base / "saved_model.pb").exists():
        raise InputError(f"{base} is a SavedModel itself, not a folder of versions: choose another output.")
    if any((base / name).is_file() for name in NOT_A_BASE_FOLDER):
        raise InputError(f"{base} is a run or preset folder, not a folder of versions: choose another output.")
    if version is None:
        version = max(versions(base), default=0) + 1
    if isinstance(version, bool) or not isinstance(version, int) or not 0 < version < 2**63:
        raise InputError(f"`version` must be a positive whole number. Received: version={version!r}")
    if (base / str(version)).exists():
        raise InputError(f"{base} already has version {version}, which a server may be using: choose another number.")
    return base / str(version)


def versions(base):
    """The versions in a base folder, whole or not: sorted list of int."""
    names = [path.name for path in Path(base).glob("*") if path.is_dir()]
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def require_replaceable(folder):
    """Checks that a folder may be replaced by a SavedModel: it is missing, empty or a SavedModel.

    Raises:
        InputError: if `folder` is a file, or holds something else.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The output must be a folder, but {folder} is a file: choose another output.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "saved_model.pb").is_file():
        raise InputError(f"{folder} holds files of something else, which would be lost: choose an empty folder.")


def _line_table(path):
    """A lookup table of a file: line number -> line."""
    what = tf.lookup.TextFileIndex
    entries = tf.lookup.TextFileInitializer(str(path), tf.int64, what.LINE_NUMBER, tf.string, what.WHOLE_LINE)
    return tf.lookup.StaticHashTable(entries, default_value="")


def _describe_signature(table):
    describe = lambda keys: {"description": table.lookup(tf.zeros(tf.shape(keys), tf.int64))}
    return Signature(describe, (tf.TensorSpec([None], tf.string, name="keys"),))
