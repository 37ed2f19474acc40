"""Reads annotation files, which are not trusted: only regular files of limited size."""

import stat

from pix2seq_keras.errors import InputError

MEGABYTE = 1 << 20


def read_annotation_file(path, max_bytes):
    """Reads a file.

    Args:
        path: `Path`, the file; the caller checks that it is in its folder.
        max_bytes: int, the largest size accepted.

    Returns:
        bytes.

    Raises:
        InputError: if it is missing, not readable, not a regular file (opening a pipe would block) or too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"An annotation file must be a regular file. Received: {path}")
        if status.st_size > max_bytes:
            raise InputError(
                f"An annotation file of this kind must have at most {max_bytes / MEGABYTE:g} MB. "
                f"Received: {path} with {status.st_size / MEGABYTE:,.0f} MB"
            )
        with path.open("rb") as file:
            return file.read(status.st_size)  # not more, if it grows meanwhile
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} is not a valid file name ({error}).") from error


def read_names(path, max_bytes):
    """Reads a text file of file names, which need not be UTF-8: they are then the bytes of names on the disk.

    Args:
        path: `Path`, as in `read_annotation_file`.
        max_bytes: int, the largest size accepted.

    Returns:
        List of str, the lines, as `os.fsdecode` decodes them.

    Raises:
        InputError: as `read_annotation_file`.
    """
    return read_annotation_file(path, max_bytes).decode("utf-8-sig", "surrogateescape").splitlines()


def read_text(path, max_bytes):
    """Reads a text file in UTF-8, without the byte order mark that some Windows editors write.

    Args:
        path: `Path`, as in `read_annotation_file`.
        max_bytes: int, the largest size accepted.

    Returns:
        str.

    Raises:
        InputError: as `read_annotation_file`, and if the file is not UTF-8.
    """
    try:
        return read_annotation_file(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}).") from error
