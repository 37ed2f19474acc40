"""The files in a folder, by their endings, in an order that is the same everywhere."""

import os

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif",
)  # fmt: skip


def files_below(folder):
    """The names of all files in a folder and the folders in it, sorted, relative to it, with forward slashes.

    Folders that are links are not entered, and hidden ones neither.

    Args:
        folder: `Path`, the folder.

    Yields:
        str, folder by folder.
    """
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(parent, folder).replace(os.sep, "/")
        for name in sorted(files):
            if not name.startswith("."):
                yield name if inside == "." else f"{inside}/{name}"


def names_below(folder, suffixes):
    """Names without endings, and whole names, of the files with one of the endings in a folder."""
    for file_name in files_below(folder):
        stem, suffix = os.path.splitext(file_name)  # noqa: PTH122 (keeps the folders)
        if suffix.lower() in suffixes:
            yield stem, file_name
