"""Opening a folder in COCO's layout: `DIR/annotations/instances_SPLIT.json` beside pictures in `DIR/SPLIT/`.

Files of real datasets have faults. A fault in the frame (no folder, no JSON, no categories) is an error;
a fault in a record costs that record alone, and is reported in `Source.findings`.
"""

import json
import os
from pathlib import Path

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import read_picture
from pix2seq_keras.data.sources.coco_annotations import CocoObjects, gather_objects
from pix2seq_keras.data.sources.coco_pictures import CocoPicture, check_pictures
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError

_PREFIX = "instances_"
_KEYS = ("images", "annotations", "categories")


def open_coco(directory: str | os.PathLike, split: str) -> Source:
    """Opens one split of a folder in COCO's layout.

    All headers are looked at now, so that sizes and orientations are known; pixels are read one by one later.

    Args:
        directory: the folder that holds `annotations/` and the folders of pictures.
        split: "train", "val", "train2017", …: `annotations/instances_SPLIT.json` and `SPLIT/` must exist.

    Returns:
        A `Source` in the order of the file's `"images"`, without those that cannot be used.

    Raises:
        InputError: if the folder, the annotation file or the picture folder is missing, the file is not COCO
            JSON, its categories are unusable, or not one picture can be used.

    Example:
        >>> source = open_coco("data/bccd", "train")
        >>> len(source), source.categories.names
        (205, ('RBC', 'WBC', 'Platelets'))
    """
    annotation_file, folder = _locate(directory, split)
    document = _parse(annotation_file)
    try:
        categories = Categories.from_coco(document["categories"])
    except InputError as error:
        raise InputError(f"The categories of {annotation_file} cannot be used. {error}") from error
    if not document["images"]:
        raise InputError(f'{annotation_file} lists no pictures: its "images" is empty.')

    findings = Findings()
    pictures, known_ids = check_pictures(document["images"], folder, findings)
    if not pictures:
        raise InputError(
            f"None of the {len(document['images'])} pictures of {annotation_file} can be used:\n{findings.summary()}"
        )
    objects = gather_objects(document["annotations"], pictures, known_ids, categories, findings)

    owners = np.repeat(np.arange(len(pictures)), np.diff(objects.starts))  # (M,)
    object_counts = np.bincount(owners[~objects.is_crowd], minlength=len(pictures))
    if not object_counts.any():
        findings.add(
            "no annotations at all",
            str(annotation_file),
            f"{annotation_file} has no usable object on any of its {len(pictures)} pictures.",
        )
    for index in np.flatnonzero(object_counts == 0):
        file_name = pictures[index].file_name
        findings.add("picture without annotations", f"{file_name!r:.80}", f"{file_name!r:.80} has no usable object.")
    return Source(
        name=f"coco:{os.fspath(directory)}",
        split=split,
        categories=categories,
        image_ids=np.asarray([picture.image_id for picture in pictures], np.int64),
        findings=findings,
        read=lambda index: _read(pictures, objects, index),
        annotated=object_counts > 0,
        object_counts=object_counts,
        labels=[str(picture.path) for picture in pictures],
    )


def _read(pictures: list[CocoPicture], objects: CocoObjects, index: int) -> dict:
    picture = pictures[index]
    rows = slice(objects.starts[index], objects.starts[index + 1])
    return {
        "image": read_picture(picture.path),  # (H, W, 3)
        "image_id": np.int64(picture.image_id),
        "boxes": objects.boxes[rows],  # (n, 4)
        "classes": objects.classes[rows],
        "is_crowd": objects.is_crowd[rows],
        "area": objects.area[rows],
    }


def _locate(directory, split: str) -> tuple[Path, Path]:
    directory = Path(directory).expanduser()
    if not directory.is_dir():
        raise InputError(
            f"There is no folder {str(directory)!r}. A coco source is a folder that holds annotations/ and "
            "the folders of pictures."
        )
    annotations = directory / "annotations"
    splits = sorted(file.stem.removeprefix(_PREFIX) for file in annotations.glob(f"{_PREFIX}*.json"))
    if split not in splits:  # so a split can only be a plain name
        wanted = str(annotations / f"{_PREFIX}{split}.json")
        there = f"There are the splits {', '.join(splits)}." if splits else "There is none there at all."
        raise InputError(f"The split {split!r} has no annotation file {wanted!r}. {there}")
    folder = directory / split
    if not folder.is_dir():
        raise InputError(f"There is no folder of pictures {str(folder)!r} beside the annotations of {split!r}.")
    return annotations / f"{_PREFIX}{split}.json", folder.resolve()


def _parse(file: Path) -> dict:
    try:
        data = file.read_bytes()
        # Polygons are four fifths of COCO's file; dropped as they are met they never pile up in memory.
        document = json.loads(data, object_hook=_without_segmentation)
    except json.JSONDecodeError as error:
        what = "is empty" if not data.strip() else f"is not JSON, or is cut short: {error.msg}"
        raise InputError(f"{file} {what} (line {error.lineno}, column {error.colno}).") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
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


def _without_segmentation(record: dict) -> dict:
    record.pop("segmentation", None)
    return record
