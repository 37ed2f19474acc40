"""Files in folders of images that are not used: said, since their owner may think they are."""

import os

from pix2seq_keras.data.sources.listing import is_image_name
from pix2seq_keras.data.sources.short_repr import short_repr

# Annotations, and what tools and systems leave beside images; nobody takes these for images.
_SIDE_SUFFIXES = (
    ".txt", ".xml", ".json", ".yaml", ".yml", ".data", ".csv", ".md", ".html", ".cache", ".npy", ".db", ".ini",
    ".names",
)  # fmt: skip


def may_be_missed(file_name):
    """Whether a file that is no image by its ending may have been meant as one: no annotation, no file of a tool.

    Args:
        file_name: str.

    Returns:
        bool.

    Example:
        >>> may_be_missed("a.arw"), may_be_missed("a.jpg"), may_be_missed("a.txt")
        (True, False, False)
    """
    name = file_name.rpartition("/")[2]
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    return bool(suffix) and suffix not in _SIDE_SUFFIXES and not name.startswith(".") and not is_image_name(name)


def unlisted_files(folders, used):
    """Finds the files in some folders, not below them, that are not used.

    Args:
        folders: iterable of `Path`.
        used: set of str, paths.

    Returns:
        `(images, others)`: sorted lists of str, paths of images by their endings, and of other files.
    """
    images, others = [], []
    for folder in sorted(folders):
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError:  # it was read a moment ago
            continue
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 (a `Path` for each of 100,000 files is slow)
            if path not in used and not name.startswith("."):
                if is_image_name(name):
                    images.append(path)
                elif may_be_missed(name):
                    others.append(path)
    return images, others


def note_unused(file_names, what, where, issues):
    """Adds one note on files that are not used, if there are any.

    Args:
        file_names: list of str.
        what: str, why they are not used, such as "no images by their endings".
        where: str, the folder.
        issues: `Issues`.
    """
    if file_names:
        where = f"{where} ({what})"
        issues.add("unused files", where, f"{where}: {count_and_names(file_names)}.")


def count_and_names(file_names, limit=5):
    """Counts files and names the first ones, for messages.

    Args:
        file_names: list of str, at least one.
        limit: int, the most that are named. Defaults to 5.

    Returns:
        str.

    Example:
        >>> count_and_names(["a.arw", "b.arw", "c.psd"], limit=2)
        "3 files, such as 'a.arw', 'b.arw'"
    """
    named = ", ".join(short_repr(name, 200) for name in file_names[:limit])
    return f"{len(file_names)} {'file' if len(file_names) == 1 else 'files'}, such as {named}"
