"""Reading annotation files, which are somebody else's text: only regular files, and never too much of them."""

import stat

from pix2seq_keras.errors import InputError

MEGABYTE = 1 << 20


def read_annotation_file(path, max_bytes):
    """The content of a file that exists for being read.

    Args:
        path: `Path`, the file; where it may lie is for the caller to check.
        max_bytes: int, the most that is accepted.

    Returns:
        Its bytes.

    Raises:
        InputError: if it is missing, forbidden, no regular file (opening a pipe would wait for ever) or too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file, where an annotation file was expected.")
        if status.st_size > max_bytes:
            raise InputError(
                f"{path} has {status.st_size / MEGABYTE:,.0f} MB, more than the {max_bytes / MEGABYTE:g} MB that an "
                "annotation file of its kind may have."
            )
        with path.open("rb") as file:
            return file.read(status.st_size)  # should it grow meanwhile, not more
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} cannot be the name of a file ({error}).") from error


def read_text(path, max_bytes):
    """The text of a file in UTF-8, without the mark some editors of Windows put in front.

    Args:
        path: as in `read_annotation_file`.
        max_bytes: likewise.

    Returns:
        The text.

    Raises:
        InputError: as `read_annotation_file`, and for bytes that are no UTF-8.
    """
    try:
        return read_annotation_file(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8 ({error.reason} at byte {error.start}).") from error
