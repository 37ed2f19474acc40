"""Writes COCO: `annotations/instances_SPLIT.json` beside images in `SPLIT/`."""

import json

import numpy as np

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.data.sources.converted_images import converted_images

_DIGITS = range(0, 12)


def write_coco(folder, splits, counts):
    """Writes splits as COCO. Nothing is lost.

    Args:
        folder: `Path`, an empty folder.
        splits: dict of name to `Source`.
        counts: `ConversionCounts`.
    """
    (folder / "annotations").mkdir()
    for split, source in splits.items():
        (folder / split).mkdir()
        images, annotations = [], []
        for image in converted_images(source, split, counts, used_names={}):
            (folder / split / image.file_name).write_bytes(image.data)
            objects = image.objects
            image_id = int(objects["image_id"])
            images.append({"id": image_id, "file_name": image.file_name, "width": image.width, "height": image.height})
            boxes = pixel_boxes(objects["boxes"], image.height, image.width)  # (n, 4)
            for row, box in enumerate(boxes.tolist()):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image_id,
                        "category_id": source.categories.ids[objects["classes"][row]],
                        "bbox": [_as_integer(value) for value in box],
                        "area": _as_integer(float(str(objects["area"][row]))),  # with as few digits as float32 needs
                        "iscrowd": int(objects["is_crowd"][row]),
                    }
                )
            counts.add_image(split, len(boxes))
        table = zip(source.categories.ids, source.categories.names, strict=True)
        document = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": identifier, "name": name} for identifier, name in table],
        }
        with atomic_write(folder / "annotations" / f"instances_{split}.json") as file:
            file.write(json.dumps(document))  # ten times as fast as json.dump


def pixel_boxes(boxes, height, width):
    """Boxes in COCO's format, with as few decimals as give the same float32 boxes when they are read.

    Args:
        boxes: float32 array (n, 4), `rel_yxyx`.
        height: int, of the image, in pixels.
        width: int, of the image, in pixels.

    Returns:
        float64 array (n, 4), `xywh` in pixels.

    Example:
        >>> pixel_boxes(np.float32([[0.1, 0.55, 0.35, 0.95]]), 40, 60)
        array([[33.,  4., 24., 10.]])
    """
    sides = np.array([height, width], np.float64)
    near = _shortest(boxes[:, :2] * sides, lambda edges: edges / sides, boxes[:, :2])  # (n, 2)
    far = _shortest(boxes[:, 2:] * sides - near, lambda lengths: (near + lengths) / sides, boxes[:, 2:])
    return np.stack([near[:, 1], near[:, 0], far[:, 1], far[:, 0]], axis=-1)


def _shortest(exact, read_back, wanted):
    """`exact` with as few decimals as give `wanted` when read back."""
    short, open_ = exact.copy(), np.ones(exact.shape, bool)
    for digits in _DIGITS:
        candidate = np.where(open_, np.round(exact, digits), short)
        good = open_ & (read_back(candidate).astype(np.float32) == wanted)
        short[good] = candidate[good]
        open_ &= ~good
        if not open_.any():
            break
    return short


def _as_integer(value):
    return int(value) if value.is_integer() else value
