"""Where a folder of Pascal VOC has its images and XML files, and which of them belong to a split."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.data.sources.annotation_files import MEGABYTE, read_text
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.listing import names_below
from pix2seq_keras.errors import InputError

_ANNOTATIONS = ("annotations", "annotation", "xml", "xmls", "labels")
_IMAGES = ("jpegimages", "images", "image", "imgs", "img", "pictures")
_MAX_LIST_BYTES = 256 * MEGABYTE


@dataclass(frozen=True)
class VocLayout:
    """Images and annotations that go by the same names, without their endings.

    Args:
        images: the resolved folder of images.
        annotations: the resolved folder of XML files; it may be the same.
        lists: the folder of `SPLIT.txt` files, or None.
        splits: the splits it has of its own; empty where it has none.
        tables: the folders whose XML files together say which classes there are: those of all splits.
    """

    images: Path
    annotations: Path
    lists: Path | None = None
    splits: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()


def find_voc_layout(directory, split):
    """Finds out how a folder is laid out.

    Args:
        directory: `Path`, the folder the user named.
        split: str, the split the user named.

    Returns:
        A `VocLayout` whose `splits` are empty where the folder is one heap of images and XML files.

    Raises:
        InputError: if the folder is missing, has no XML files where they may be, or not this split.
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


def listed_names(layout, split):
    """The names in a split's list, in its order. The lists of single classes leave out what is marked with -1.

    Raises:
        InputError: if the list cannot be read.
    """
    names = []
    for line in read_text(file_inside(layout.lists, f"{split}.txt", "list of images"), _MAX_LIST_BYTES).splitlines():
        name, mark = re.fullmatch(r"\s*(.*?)(?:\s+(-1|0|1))?\s*", line, re.DOTALL).groups()
        if name and mark != "-1":
            names.append(name)
    return names


def _find(directory, split):
    nested = sorted({*directory.glob("*/ImageSets/Main"), *directory.glob("VOCdevkit/*/ImageSets/Main")})
    if not (directory / "ImageSets" / "Main").is_dir() and nested:
        if len(nested) > 1:
            years = ", ".join(repr(str(folder.parents[1])) for folder in nested)
            raise InputError(f"There are several VOC folders in {str(directory)!r}: name one of {years}.")
        directory = nested[0].parents[1]
    heap = _heap(directory)
    lists = directory / "ImageSets" / "Main"
    if lists.is_dir():
        if heap is None:
            raise InputError(f"{str(directory)!r} has ImageSets/Main/ but no Annotations/ with XML files.")
        return _with_lists(heap, lists, split)
    return _without_lists(directory, heap, split)


def _with_lists(heap, lists, split):
    splits = sorted(file.stem for file in lists.glob("*.txt"))
    if split not in splits:
        # Lists of single classes, such as cat_train, are 20 times as many.
        own = [name for name in splits if name.rpartition("_")[2] not in splits or "_" not in name]
        raise InputError(
            f"There is no {str(lists / f'{split}.txt')!r}. There are the splits {', '.join(own) or 'none'}."
        )
    return VocLayout(heap.images, heap.annotations, lists.resolve(), tuple(splits), heap.tables)


def _without_lists(directory, heap, split):
    """Folders of splits in the folder, folders of splits in its images and annotations, or all in one heap."""
    if heap is not None and heap.images != heap.annotations:
        splits = {f.name for f in _folders(heap.images)} & {f.name for f in _folders(heap.annotations)}
        if splits and not _has(heap.annotations, (".xml",)):
            _require(split, splits, directory)
            return VocLayout(
                (heap.images / split).resolve(),
                (heap.annotations / split).resolve(),
                splits=tuple(sorted(splits)),
                tables=(heap.annotations,),
            )
        return heap
    if heap is not None and _has(directory, (".xml",)):
        return heap
    heaps = {folder.name: inner for folder in _folders(directory) if (inner := _heap(folder)) is not None}
    if not heaps:
        raise InputError(
            f"{str(directory)!r} has no VOC annotations: no XML files beside the images, in annotations/ beside "
            "images/, in Annotations/ beside JPEGImages/, or in a folder for every split."
        )
    _require(split, heaps, directory)
    tables = tuple(heap.annotations for heap in heaps.values())
    return VocLayout(heaps[split].images, heaps[split].annotations, splits=tuple(sorted(heaps)), tables=tables)


def _heap(folder):
    """Images and XML files in one folder, or in two of them side by side; None where there is nothing like it."""
    inner = {child.name.lower(): child for child in _folders(folder)}
    annotations = next((inner[name] for name in _ANNOTATIONS if name in inner), None)
    images = next((inner[name] for name in _IMAGES if name in inner), None)
    if annotations is not None and _has_xml_below(annotations):
        return VocLayout((images or folder).resolve(), annotations.resolve(), tables=(annotations.resolve(),))
    if _has(folder, (".xml",)):
        return VocLayout((images or folder).resolve(), folder.resolve(), tables=(folder.resolve(),))
    return None


def _require(split, splits, directory):
    if split not in splits:
        raise InputError(f"{str(directory)!r} has the splits {', '.join(sorted(splits))}. Received: split={split!r}")


def _folders(folder):
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _has(folder, suffixes):
    return any(os.path.splitext(entry.name)[1].lower() in suffixes for entry in os.scandir(folder))  # noqa: PTH122


def _has_xml_below(folder):
    return next(names_below(folder, (".xml",)), None) is not None
