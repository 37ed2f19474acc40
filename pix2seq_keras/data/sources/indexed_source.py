"""A `Source` of picture files whose objects are all known from the index."""

from collections.abc import Sequence

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import PictureError, read_picture
from pix2seq_keras.data.sources.objects import Objects
from pix2seq_keras.data.sources.picture_index import IndexedPicture
from pix2seq_keras.data.sources.source import Source


def indexed_source(
    name: str,
    split: str,
    categories: Categories,
    pictures: Sequence[IndexedPicture],
    objects: Objects,
    findings: Findings,
    annotations: str,
) -> Source:
    """Makes the source, and notes the pictures without objects.

    Args:
        name: what the user wrote to get it, such as "coco:DIR".
        split: "train", "val", …
        categories: the classes.
        pictures: the usable pictures, at least one, in their order.
        objects: theirs.
        findings: what was irregular while indexing.
        annotations: the file or folder the objects are from, for messages.

    Returns:
        A `Source`.
    """
    owners = np.repeat(np.arange(len(pictures)), np.diff(objects.starts))  # (M,)
    object_counts = np.bincount(owners[~objects.is_crowd], minlength=len(pictures))
    if not object_counts.any():
        findings.add(
            "no annotations at all",
            annotations,
            f"{annotations} has no usable object on any of its {len(pictures)} pictures.",
        )
    for index in np.flatnonzero(object_counts == 0):
        file_name = pictures[index].file_name
        findings.add("picture without annotations", f"{file_name!r:.80}", f"{file_name!r:.80} has no usable object.")

    def read_objects(index: int) -> dict:
        rows = slice(objects.starts[index], objects.starts[index + 1])
        return {
            "image_id": np.int64(pictures[index].image_id),
            "boxes": objects.boxes[rows],  # (n, 4)
            "classes": objects.classes[rows],
            "is_crowd": objects.is_crowd[rows],
            "area": objects.area[rows],
        }

    def read(index: int) -> dict:
        picture = pictures[index]
        return {"image": read_picture(picture.path, info=picture.info), **read_objects(index)}  # (H, W, 3)

    return Source(
        name=name,
        split=split,
        categories=categories,
        image_ids=np.asarray([picture.image_id for picture in pictures], np.int64),
        findings=findings,
        read=read,
        annotated=object_counts > 0,
        object_counts=object_counts,
        labels=[str(picture.path) for picture in pictures],
        sizes=np.asarray([(picture.info.height, picture.info.width) for picture in pictures], np.int32),
        read_objects=read_objects,
        encoded=lambda index: _bytes(pictures[index]),
    )


def _bytes(picture: IndexedPicture) -> bytes:
    try:
        return picture.path.read_bytes()
    except OSError as error:
        raise PictureError(f"The picture {str(picture.path)!r} cannot be opened: {error.strerror or error}.") from error
