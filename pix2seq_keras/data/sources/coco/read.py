"""COCO's JSON files beside folders of images, as COCO, Objects365 and Roboflow lay them out, or named one by one.

Files of real datasets have faults. A fault in the frame (no folder, no JSON, no categories) is an error;
a fault in a record costs that record alone, and is reported in `Source.issues`.
"""

import json
import os
from pathlib import Path

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.annotation_files import MEGABYTE, read_annotation_file
from pix2seq_keras.data.sources.coco.annotations import gather_objects
from pix2seq_keras.data.sources.coco.images import check_images
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.splits import made_split
from pix2seq_keras.errors import InputError

_PREFIXES = ("instances_", "zhiyuan_objv2_", "")  # of the names in annotations/: COCO's, Objects365's, none
_ROBOFLOW = "_annotations.coco.json"
_KEYS = ("images", "annotations", "categories")
_MAX_BYTES = 16 * 1024 * MEGABYTE  # Objects365's own has 3 GB


def open_coco(directory, split):
    """Opens one split of a folder in COCO's layout.

    All headers are looked at now, so that sizes and orientations are known; pixels are read one by one later.

    The annotation file is `annotations/instances_SPLIT.json`, or Objects365's `annotations/zhiyuan_objv2_SPLIT.json`,
    or `annotations/SPLIT.json`, or Roboflow's `SPLIT/_annotations.coco.json`; the images are in `SPLIT/`,
    `images/SPLIT/` or `images/`.

    Args:
        directory: path, the folder that holds `annotations/` and the folders of images.
        split: str, "train", "val", "train2017", …

    Returns:
        A `Source` in the order of the file's `"images"`, without those that cannot be used.

    Raises:
        InputError: if the folder, the annotation file or the image folder is missing, the file is not COCO
            JSON, its categories are unusable, or not one image can be used.

    Example:
        >>> source = open_coco("data/bccd", "train")
        >>> len(source), source.categories.names
        (205, ('RBC', 'WBC', 'Platelets'))
    """
    annotation_file, folder = _locate(directory, split)
    return _index(annotation_file, folder, f"coco:{os.fspath(directory)}", split)


def open_coco_file(annotation_file, folder, split="all"):
    """Opens a COCO JSON file whose images are in a folder of any name.

    Args:
        annotation_file: path, the JSON file.
        folder: path, the folder its file names are relative to.
        split: str, "all", or "train" or "val", which `made_split` makes.

    Returns:
        A `Source`, as `open_coco` gives it.

    Raises:
        InputError: as `open_coco`.

    Example:
        >>> source = open_coco_file("labels.json", "photos", "train")
    """
    name = f"coco:{os.fspath(annotation_file)}+{os.fspath(folder)}"
    annotation_file, folder = Path(annotation_file).expanduser(), Path(folder).expanduser()
    if not annotation_file.is_file():
        raise InputError(f"There is no annotation file {str(annotation_file)!r}.")
    if not folder.is_dir():
        raise InputError(f"There is no folder of images {str(folder)!r}.")
    source = _index(annotation_file, folder.resolve(), name, "all")
    return made_split(source, split, [os.path.relpath(label, folder.resolve()) for label in source.labels])


def _index(annotation_file, folder, name, split):
    document = _parse(annotation_file)
    try:
        categories = Categories.from_coco(document["categories"])
    except InputError as error:
        raise InputError(f"The categories of {annotation_file} cannot be used. {error}") from error
    if not document["images"]:
        raise InputError(f'{annotation_file} lists no images: its "images" is empty.')
    issues = Issues()
    images, known_ids = check_images(document["images"], folder, issues)
    if not images:
        raise InputError(
            f"None of the {len(document['images'])} images of {annotation_file} can be used:\n{issues.summary()}"
        )
    objects = gather_objects(document["annotations"], images, known_ids, categories, issues)
    return indexed_source(name, split, categories, images, objects, issues, str(annotation_file))


def _locate(directory, split):
    directory = Path(directory).expanduser()
    if not directory.is_dir():
        raise InputError(
            f"There is no folder {str(directory)!r}. A coco source is a folder that holds annotations/ and "
            "the folders of images; a single annotation file is written as coco:FILE.json+FOLDER."
        )
    files = annotation_files(directory)
    if split not in files:  # so a split can only be a plain name
        wanted = str(directory / "annotations" / f"instances_{split}.json")
        there = f"There are the splits {', '.join(sorted(files))}." if files else "There is none there at all."
        raise InputError(f"The split {split!r} has no annotation file {wanted!r}. {there}")
    for folder in (directory / split, directory / "images" / split, directory / "images"):
        if folder.is_dir():
            return files[split], folder.resolve()
    raise InputError(f"There is no folder of images {str(directory / split)!r} beside the annotations of {split!r}.")


def annotation_files(directory):
    """Split -> annotation file; where a split has several, COCO's own way of naming them goes first."""
    files = {file.parent.name: file for file in directory.glob(f"*/{_ROBOFLOW}")}
    named: dict[str, list[Path]] = {prefix: [] for prefix in _PREFIXES}
    for file in (directory / "annotations").glob("*.json"):
        named[next(prefix for prefix in _PREFIXES if file.name.startswith(prefix))].append(file)
    for prefix in reversed(_PREFIXES):
        files.update((file.stem.removeprefix(prefix), file) for file in named[prefix])
    return files


def _parse(file):
    data = read_annotation_file(file, _MAX_BYTES)
    try:
        # Polygons are four fifths of COCO's file; dropped as they are met they never pile up in memory.
        document = json.loads(data, object_hook=_without_segmentation)
    except json.JSONDecodeError as error:
        what = "is empty" if not data.strip() else f"is not JSON, or is cut short: {error.msg}"
        raise InputError(f"{file} {what} (line {error.lineno}, column {error.colno}).") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, a number of 5,000 digits, brackets without end
        raise InputError(f"{file} is not JSON that can be read: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(
            f"{file} is not a COCO annotation file: it holds a {type(document).__name__} where a dictionary "
            f"with {', '.join(_KEYS)} was expected."
        )
    for key in _KEYS:
        if not isinstance(document.get(key), list):
            received = f"a {type(document[key]).__name__}" if key in document else "nothing"
            raise InputError(f'{file} is not a COCO annotation file: "{key}" must be a list, it has {received}.')
    return document


def _without_segmentation(record):
    record.pop("segmentation", None)
    return record
