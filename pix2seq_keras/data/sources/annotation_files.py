"""Reads annotation files, which are not trusted: only regular files of limited size."""

from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import read_file


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
    return read_file(path, max_bytes, "An annotation file")


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
