"""Files that annotation files name: they must be inside the folder of the data set."""

import os
import re
from pathlib import Path

from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.sources.short_repr import short_repr

_MAX_NAME_LENGTH = 4096  # the longest path of Linux; resolving 100,000 folders would take minutes


def leaves_folder(file_name):
    """Whether a name could lead out of its folder by itself, or is written with the separators of Windows.

    Args:
        file_name: str.

    Returns:
        bool.
    """
    return bool(
        "\\" in file_name  # a separator on Windows
        or re.match("[A-Za-z]:", file_name)
        or file_name.startswith("/")
        or ".." in file_name.split("/")
    )


def file_inside(folder, file_name, what="image"):
    """The path of `file_name`, which must be in `folder` after all symbolic links are followed.

    Annotation files are not trusted: without this check they could name any file of this machine, and galleries would
    show its pixels. A file outside is never opened, and the result does not depend on whether it exists. The folder
    itself may be a link.

    Args:
        folder: `Path`, the folder of the split, resolved.
        file_name: str, the name in the annotation file, with forward slashes; it may have subfolders.
        what: str, what the file is, for the kind of the error. Defaults to "image".

    Returns:
        The resolved path, which may not exist.

    Raises:
        ImageError: of the kind "image outside the folder" (or another `what`) for absolute names, "..", backslashes
            and links to other folders; of the kind "unreadable image" for names that no file can have.

    Example:
        >>> file_inside(Path("/data/train"), "a/photo.jpg")
        PosixPath('/data/train/a/photo.jpg')
    """
    if "\0" in file_name or not file_name.strip() or len(file_name) > _MAX_NAME_LENGTH:
        raise ImageError(f"No file can have the name {short_repr(file_name)}.")
    if leaves_folder(file_name):
        raise ImageError(
            f"A file name must be relative to its folder, with forward slashes and without '..'. "
            f"Received: {file_name!r:.80}.",
            kind=f"{what} outside the folder",
        )
    try:
        path = Path(os.path.realpath(folder / file_name))
    except (OSError, ValueError) as error:  # ValueError: a lone surrogate, which cannot be encoded
        raise ImageError(f"No file can have the name {file_name!r:.80} ({error}).") from error
    if not path.is_relative_to(folder):
        raise ImageError(
            f"The file {file_name!r:.80} is a link to another folder.",
            kind=f"{what} outside the folder",
        )
    return path
