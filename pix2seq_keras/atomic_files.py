"""Atomic writes of files and folders: after a failure, the old content is still there."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from pix2seq_keras.errors import InputError

_LONG_NAME = 220  # bytes


class FolderTakenError(InputError):
    """Another process made the folder while this one wrote it."""


@contextlib.contextmanager
def made_folder_of(path):
    """Makes the folders of a path that are missing, and removes them again if the block ends with an error.

    Args:
        path: str or path, what is written in the block.

    Raises:
        InputError: if a folder cannot be made.
    """
    folder = Path(path).parent
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]  # the innermost first
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for parent in new:
            with contextlib.suppress(OSError):  # it holds what another process wrote
                parent.rmdir()
        if isinstance(error, OSError):
            raise InputError(write_error_message(path, error)) from error
        raise


@contextlib.contextmanager
def atomic_write(path, mode="w"):
    """Opens a temporary file that replaces `path` when the block ends without an error.

    Args:
        path: str or path, the file to write; its folder must exist.
        mode: str, `"w"` for UTF-8 text or `"wb"` for bytes. Defaults to `"w"`.

    Yields:
        The open file.

    Raises:
        InputError: if the file cannot be written. `path` is then unchanged, as after any other error in the block.

    Example:
        >>> with atomic_write("run/summary.json") as file:
        ...     file.write("{}")
    """
    path = Path(path)
    temporary = path.with_name(_temporary_name(path.name))
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with temporary.open(mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # without it a power failure may leave an empty file under the new name
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise InputError(write_error_message(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_folder(folder):
    """Makes a rename in a folder survive a power failure, where the system can: Windows opens no folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _temporary_name(name):
    """Another one in each process, since two may write the same file; a name may have at most 255 bytes."""
    encoded = os.fsencode(name)
    beginning = name if len(encoded) < _LONG_NAME else hashlib.sha256(encoded).hexdigest()
    return f".{beginning}.{os.getpid()}.tmp"


@contextlib.contextmanager
def atomic_folder(path, replace=True):
    """Creates a temporary folder that replaces `path` when the block ends without an error.

    Args:
        path: str or path, the folder to write; its parent folders are created.
        replace: bool, whether to replace a folder with content that exists at `path` when the block ends. Defaults to
            `True`; `False` raises instead.

    Yields:
        `pathlib.Path` of the temporary folder, which is empty and next to `path`.

    Raises:
        FolderTakenError: an `InputError`, if `replace` is False and a folder with content came to be there meanwhile.
        InputError: if the folder cannot be written. `path` is then unchanged, as after any other error in the block,
            and parent folders that were made for it are gone.

    Example:
        >>> with atomic_folder("model") as folder:
        ...     (folder / "config.json").write_text("{}")
    """
    path = Path(path)
    temporary = None
    with made_folder_of(path):
        try:
            temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
            temporary.chmod(0o755)  # mkdtemp gives access to the owner only
            yield temporary
            if replace:
                _replace_folder(temporary, path)
            else:
                _move_to_free_place(temporary, path)
        except OSError as error:
            raise InputError(write_error_message(path, error)) from error
        finally:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)


def _move_to_free_place(new, path):
    try:
        new.rename(path)  # fails if `path` is a folder with content
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise FolderTakenError(f"{path} was just made by another process. Choose another folder.") from error
        raise


def _replace_folder(new, path):
    """Moves the old folder away first: a rename cannot replace a folder with content."""
    if not path.exists():
        new.rename(path)
        return
    old = new.with_name(f"{new.name}-old")
    try:
        path.rename(old)
        new.rename(path)
    except BaseException:  # also KeyboardInterrupt: restore the old folder
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_json(path, values):
    """Writes a JSON file atomically, see `atomic_write`.

    Args:
        path: str or path, the file to write; its folder must exist.
        values: what `json.dumps` can serialise.

    Raises:
        InputError: if the file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(json.dumps(values, indent=1) + "\n")


def require_writable_folder(folder):
    """Creates a folder if it does not exist and checks that files can be written to it.

    Args:
        folder: str or path.

    Raises:
        InputError: if the folder cannot be created or written to.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(write_error_message(folder, error)) from error


def write_error_message(path, error):
    """The message of the `InputError` for an `OSError` while writing.

    Args:
        path: str or path, the file or folder that was written.
        error: `OSError`.

    Returns:
        str, the message.
    """
    return f"{path} cannot be written: {error.strerror or error}. Choose a writable path with enough space."


def require_writable_file(path):
    """Checks before a long computation that its result can be written.

    Args:
        path: str or path, the file to write later.

    Raises:
        InputError: if the folder of the file is missing or not writable, or if `path` is a folder.
    """
    path = Path(path)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK) or path.is_dir():
        raise InputError(
            f"The result cannot be written to {path}: its folder is missing or not writable, or it is a folder."
        )


def refuse_to_overwrite(targets, paths, what):
    """Checks that no output takes the place of a file that is read.

    Args:
        targets: iterable of paths to write.
        paths: iterable of paths that are read.
        what: str, what messages call the targets.

    Raises:
        InputError: naming one of the files that would be lost.
    """
    known = {key for target in targets if (key := _identity(target)) is not None}
    lost = sorted({str(path) for path in paths if known and _identity(path) in known})
    if lost:
        raise InputError(
            f"{what} would overwrite {len(lost)} of the images themselves, such as {lost[0]}: choose another output."
        )


def _identity(path):
    """What is equal for two names of one file, also by links; None where there is no file."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
