"""Files and folders written whole or not at all; a failure to write is told in a sentence."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from pix2seq_keras.errors import InputError


@contextlib.contextmanager
def atomic_write(path, mode="w"):
    """A file to write, which takes the place of `path` when the block ends well; until then `path` is as it was.

    Args:
        path: str or path; its folder must exist.
        mode: `"w"` for text, in UTF-8, or `"wb"`.

    Yields:
        The open file.

    Raises:
        InputError: if it cannot be written.

    Example:
        >>> with atomic_write("run/summary.json") as file:
        ...     file.write("{}")
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with temporary.open(mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a machine that loses power may keep the new name of an empty file
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(unwritable(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path, replace=True):
    """A folder to fill, which takes the place of `path` when the block ends well; until then `path` is as it was.

    Args:
        path: str or path; the folders above it are made.
        replace: bool, whether there may be something at `path`, now or when the block ends.

    Yields:
        `pathlib.Path` of an empty folder beside it.

    Raises:
        InputError: if it cannot be written.

    Example:
        >>> with atomic_folder("model") as folder:
        ...     (folder / "config.json").write_text("{}")
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        temporary.chmod(0o755)  # mkdtemp's are the owner's alone
        yield temporary
        if replace:
            _take_place(temporary, path)
        else:
            temporary.rename(path)  # fails where there is a folder with something in it
    except OSError as error:
        raise InputError(unwritable(path, error)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _take_place(new, path):
    """A folder cannot take the place of one that is not empty: for a moment the old one stands aside."""
    if not path.exists():
        new.rename(path)
        return
    old = new.with_name(f"{new.name}-old")
    try:
        path.rename(old)
        new.rename(path)
    except BaseException:  # an interruption too: the old folder may be all there is
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_json(path, values):
    """Writes a JSON file, as `replacing`."""
    with atomic_write(path) as file:
        file.write(json.dumps(values, indent=1) + "\n")


def require_writable_folder(folder):
    """Makes a folder if need be, and tries it.

    Raises:
        InputError: if nothing can be written there.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(unwritable(folder, error)) from error


def unwritable(path, error):
    """The sentence for an `OSError` met while writing to `path`."""
    return f"{path} cannot be written: {error.strerror or error}. Choose a place that can be written and has space."


def require_writable_file(path):
    """Before minutes of work: can the result be written?

    Raises:
        InputError: if not.
    """
    path = Path(path)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK) or path.is_dir():
        raise InputError(f"The result cannot be written to {path}: its folder is missing or not writable.")
