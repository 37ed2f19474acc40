"""Finding a file inside its folder, and nowhere else."""

import os
import re
from pathlib import Path

from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.sources.showing import shown

_LONGEST_NAME = 4096  # Linux takes no longer path, and to look at each of 100,000 folders would take minutes


def file_inside(folder, file_name, what="image"):
    """The path of `file_name`, which must lie in `folder` after all symbolic links are followed.

    An annotation file is somebody else's text: without this it could have any file of this machine opened,
    and its pixels shown in galleries. The outside file is never opened, and the answer does not depend on
    whether it exists. The folder itself may be a link.

    Args:
        folder: `Path`, the folder of the split, already resolved (`Path.resolve()`).
        file_name: str, the name in the annotation file, with forward slashes; subfolders are fine.
        what: str, what the file is, for messages.

    Returns:
        The resolved path, which may not exist.

    Raises:
        ImageError: of kind "image outside the folder" (or what else it is) for absolute names, "..",
            backslashes and links that lead out; "unreadable image" for names no file can have.

    Example:
        >>> file_inside(Path("/data/train"), "a/photo.jpg")
        PosixPath('/data/train/a/photo.jpg')
    """
    if "\0" in file_name or not file_name.strip() or len(file_name) > _LONGEST_NAME:
        raise ImageError(f"No file can have the name {shown(file_name)}.")
    leads_out = (
        "\\" in file_name  # a separator on Windows, where '..\\x' leaves the folder
        or re.match("[A-Za-z]:", file_name)
        or file_name.startswith("/")
        or ".." in file_name.split("/")
    )
    if leads_out:
        raise ImageError(
            f"The file name {file_name!r:.80} could lead out of its folder. Use a name relative to "
            "it, with forward slashes and without '..'.",
            kind=f"{what} outside the folder",
        )
    try:
        path = Path(os.path.realpath(folder / file_name))
    except (OSError, ValueError) as error:  # ValueError: a lone surrogate, which no file system can encode
        raise ImageError(f"No file can have the name {file_name!r:.80} ({error}).") from error
    if not path.is_relative_to(folder):
        raise ImageError(
            f"The file name {file_name!r:.80} is a link that leads out of its folder.",
            kind=f"{what} outside the folder",
        )
    return path
