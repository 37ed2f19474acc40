"""The files in a folder, by suffix, in an order that is the same on every system."""

import os

# The endings of the formats that `read_image` decodes, in lower case; files have them in any case. HEIC needs an extra.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".avif", ".avifs",
    ".heic", ".heif",
)  # fmt: skip


def is_image_name(file_name):
    """Whether a file is an image, by its ending.

    Args:
        file_name: str.

    Returns:
        bool.

    Example:
        >>> is_image_name("a.JFIF"), is_image_name("a.txt")
        (True, False)
    """
    return os.path.splitext(file_name)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122


def files_below(folder):
    """Lists all files in a folder and its subfolders, sorted.

    Links to folders and hidden folders are not followed.

    Args:
        folder: `Path`.

    Yields:
        str, a name relative to the folder, with forward slashes.
    """
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(parent, folder).replace(os.sep, "/")
        for name in sorted(files):
            if not name.startswith("."):
                yield name if inside == "." else f"{inside}/{name}"


def inside_children(folder, name):
    """Finds what the folders in a folder have in common.

    `Path.glob("*/name")` would do that too, but Python 3.12 lists each of the folders for it, also one that is a link
    to a folder elsewhere.

    Args:
        folder: `Path`, which may be missing.
        name: str, a path relative to each of the folders.

    Returns:
        List of `Path`, those that exist, sorted.
    """
    if not folder.is_dir():
        return []
    return sorted(child / name for child in folder.iterdir() if (child / name).exists())


def names_below(folder, suffixes):
    """Lists the files with one of the suffixes in a folder and its subfolders, sorted.

    Args:
        folder: `Path`.
        suffixes: tuple of str, in lower case, such as (".xml",).

    Yields:
        `(stem, file_name)`: a name relative to the folder, without and with its suffix.
    """
    for file_name in files_below(folder):
        stem, suffix = os.path.splitext(file_name)  # noqa: PTH122 (keeps the subfolders)
        if suffix.lower() in suffixes:
            yield stem, file_name
