"""The layout of a Pascal VOC folder: where its images and XML files are, and which belong to a split."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.file_finder import spelling_key
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.listing import inside_children, names_below
from pix2seq_keras.data.sources.split_choice import require_split
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE

_ANNOTATIONS = ("annotations", "annotation", "xml", "xmls", "labels")
_IMAGES = ("jpegimages", "images", "image", "imgs", "img", "pictures")
_MAX_LIST_BYTES = 256 * MEGABYTE
_MARKED = re.compile(r"(?P<name>.*\S)\s+(?P<mark>-1|0|1)", re.DOTALL)


@dataclass(frozen=True)
class VocLayout:
    """Folders of images and annotations with the same names, except for the suffixes.

    Args:
        images: `Path`, the resolved folder of images.
        annotations: `Path`, the resolved folder of XML files; it may be the same.
        split: str, the data set's own name of the split, if it has splits. Defaults to "".
        lists: `Path` or None, the folder of `SPLIT.txt` files.
        splits: tuple of str, the data set's own splits; empty if it has none.
        class_folders: tuple of `Path`, the folders of XML files of all splits, which together name all classes.
    """

    images: Path
    annotations: Path
    split: str = ""
    lists: Path | None = None
    splits: tuple[str, ...] = ()
    class_folders: tuple[Path, ...] = ()


def find_voc_layout(directory, split):
    """Finds the layout of a folder.

    Args:
        directory: `Path`, the folder that the user named.
        split: str, the split that the user named.

    Returns:
        `VocLayout`. Its `splits` are empty if the images and XML files are not divided into splits.

    Raises:
        InputError: if the folder is missing, or has no XML files or no such split.
    """
    if not directory.is_dir():
        raise InputError(
            f"There is no folder {str(directory)!r}. A voc source is a folder with Annotations/, JPEGImages/ and "
            "ImageSets/Main/, or one of images and XML files."
        )
    try:
        return _find(directory, split)
    except OSError as error:
        raise InputError(f"{error.filename or directory} cannot be read: {error.strerror or error}.") from error


def listed_names(layout, split, known):
    """Reads the list of a split. Lists of single classes mark images without the class with -1; these are left out.

    A -1, 0 or 1 at the end of a line can also belong to a name: "scan 0". It is a mark only where the whole line is no
    known name. If the name without it is not known either, it is a mark if all lines have one.

    Args:
        layout: `VocLayout` with lists.
        split: str, one of its splits.
        known: iterable of str, the names that have an image or an XML file, in any spelling.

    Returns:
        List of str, names without suffixes in the order of the list.

    Raises:
        InputError: if the list cannot be read.
    """
    text = read_text(file_inside(layout.lists, f"{split}.txt", "list of images"), _MAX_LIST_BYTES)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [_MARKED.fullmatch(line) for line in lines]
    all_marked = all(marked)
    keys = {spelling_key(name) for name in known}
    is_known = lambda name: spelling_key(name) in keys
    names = []
    for line, match in zip(lines, marked, strict=True):
        if match is None or is_known(line) or not (is_known(match["name"]) or all_marked):
            names.append(line)
        elif match["mark"] != "-1":
            names.append(match["name"])
    return names


def without_class_lists(splits):
    """Leaves out the lists of single classes, such as cat_train, of which VOC has 20 for each split.

    Args:
        splits: collection of str.

    Returns:
        List of str.
    """
    return [name for name in splits if "_" not in name or name.rpartition("_")[2] not in splits]


def _find(directory, split):
    nested = inside_children(directory, "ImageSets/Main") + inside_children(directory / "VOCdevkit", "ImageSets/Main")
    if not (directory / "ImageSets" / "Main").is_dir() and nested:
        if len(nested) > 1:
            years = ", ".join(repr(str(folder.parents[1])) for folder in nested)
            raise InputError(f"{str(directory)!r} has several VOC folders. Use one of {years}.")
        directory = nested[0].parents[1]
    folders = _data_folders(directory)
    lists = directory / "ImageSets" / "Main"
    if lists.is_dir():
        if folders is None:
            raise InputError(f"{str(directory)!r} has ImageSets/Main/ but no Annotations/ with XML files.")
        return _with_lists(folders, lists, split)
    return _without_lists(directory, folders, split)


def _with_lists(folders, lists, split):
    splits = sorted(file.stem for file in lists.glob("*.txt"))
    if split not in splits:
        split = require_split(split, without_class_lists(splits), lists)
    return replace(folders, split=split, lists=lists.resolve(), splits=tuple(splits))


def _without_lists(directory, folders, split):
    """A folder for each split, here or within the images and annotations, or no splits at all."""
    if folders is not None and folders.images != folders.annotations:
        splits = {f.name for f in _subfolders(folders.images)} & {f.name for f in _subfolders(folders.annotations)}
        if splits and not _has(folders.annotations, (".xml",)):
            split = require_split(split, sorted(splits), directory)
            return VocLayout(
                (folders.images / split).resolve(),
                (folders.annotations / split).resolve(),
                split,
                splits=tuple(sorted(splits)),
                class_folders=(folders.annotations,),
            )
        return folders
    if folders is not None and _has(directory, (".xml",)):
        return folders
    by_split = {child.name: inner for child in _subfolders(directory) if (inner := _data_folders(child)) is not None}
    if not by_split:
        raise InputError(
            f"{str(directory)!r} has no VOC annotations: no XML files beside the images, in annotations/ beside "
            "images/, in Annotations/ beside JPEGImages/, or in a folder for each split."
        )
    split = require_split(split, sorted(by_split), directory)
    class_folders = tuple(inner.annotations for inner in by_split.values())
    return replace(by_split[split], split=split, splits=tuple(sorted(by_split)), class_folders=class_folders)


def _data_folders(folder):
    """The folders of images and XML files inside a folder, which may be itself; None if there are no XML files."""
    inner = {child.name.lower(): child for child in _subfolders(folder)}
    annotations = next((inner[name] for name in _ANNOTATIONS if name in inner), None)
    images = next((inner[name] for name in _IMAGES if name in inner), None)
    if annotations is not None and _has_xml_below(annotations):
        return VocLayout((images or folder).resolve(), annotations.resolve(), class_folders=(annotations.resolve(),))
    if _has(folder, (".xml",)):
        return VocLayout((images or folder).resolve(), folder.resolve(), class_folders=(folder.resolve(),))
    return None


def _subfolders(folder):
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _has(folder, suffixes):
    return any(os.path.splitext(entry.name)[1].lower() in suffixes for entry in os.scandir(folder))  # noqa: PTH122


def _has_xml_below(folder):
    return next(names_below(folder, (".xml",)), None) is not None
