"""A `Source` of image files whose objects are all known from the index."""

import numpy as np

from pix2seq_keras.data.images.read_image import ImageError, read_image
from pix2seq_keras.data.sources.source import Source


def indexed_source(
    name,
    split,
    categories,
    images,
    objects,
    issues,
    annotations,
    crowds=("is_crowd", ""),
):
    """Makes the source and reports the images without objects.

    Args:
        name: str, as the user wrote it, such as "coco:DIR".
        split: str, "train", "val", …
        categories: `Categories`, the classes.
        images: list of `IndexedImage`, the usable images, at least one, in their order.
        objects: `Objects`, those of the images.
        issues: `Issues`, those found so far; more are added.
        annotations: str, the file or folder with the annotations, for messages.
        crowds: `(mark, source)`: how the annotations mark crowds, and how to write the source with the crowds as
            objects; both for a message. Defaults to no such source.

    Returns:
        `Source`.
    """
    owners = np.repeat(np.arange(len(images)), np.diff(objects.starts))  # (M,)
    object_counts = np.bincount(owners[~objects.is_crowd], minlength=len(images))
    only_crowds = ""
    if len(objects.is_crowd) and not object_counts.any():
        only_crowds = (
            f" All of its {len(objects.is_crowd)} objects are marked {crowds[0]}, which makes them crowds: no targets "
            f"in training, and not evaluated." + (f" To use them as objects, write {crowds[1]}" if crowds[1] else "")
        )
    if not object_counts.any():
        issues.add(
            "no annotations",
            annotations,
            f"{annotations} has no usable object on any of its {len(images)} images.{only_crowds}",
        )
    for index in np.flatnonzero(object_counts == 0):
        file_name = images[index].file_name
        issues.add("image without annotations", f"{file_name!r:.80}", f"{file_name!r:.80} has no usable object.")

    def read_objects(index):
        rows = slice(objects.starts[index], objects.starts[index + 1])
        return {
            "image_id": np.int64(images[index].image_id),
            "boxes": objects.boxes[rows],  # (n, 4)
            "classes": objects.classes[rows],
            "is_crowd": objects.is_crowd[rows],
            "area": objects.area[rows],
        }

    def read(index):
        image = images[index]
        return {"image": read_image(image.path, info=image.info), **read_objects(index)}  # (H, W, 3)

    return Source(
        name=name,
        split=split,
        categories=categories,
        image_ids=np.asarray([image.image_id for image in images], np.int64),
        issues=issues,
        read=read,
        annotated=object_counts > 0,
        advice=only_crowds.strip(),
        object_counts=object_counts,
        labels=[str(image.path) for image in images],
        sizes=np.asarray([(image.info.height, image.info.width) for image in images], np.int32),
        read_objects=read_objects,
        encoded=lambda index: _bytes(images[index]),
    )


def _bytes(image):
    try:
        return image.path.read_bytes()
    except OSError as error:
        raise ImageError(f"The image {str(image.path)!r} cannot be opened: {error.strerror or error}.") from error
