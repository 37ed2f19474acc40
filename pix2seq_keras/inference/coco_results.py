"""Detections in COCO's results format: dataset category ids, and boxes in pixels of the original image."""

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.keras_cv_adapter import convert_boxes


def coco_results(image_id, size, detections, categories):
    """Converts the detections of one image to COCO's results format.

    Args:
        image_id: int, id of the image in its dataset.
        size: `(height, width)` of the original image in pixels.
        detections: dictionary of `"boxes"` float `(m, 4)`, `rel_yxyx`, `"classes"` int `(m,)` and `"scores"` float
            `(m,)`; rows of class -1 are padding and left out.
        categories: `Categories`, the dataset id of every class.

    Returns:
        List of dictionaries with `"image_id"`, `"category_id"`, `"bbox"` `[x, y, width, height]` in pixels and
        `"score"`, ready for `json.dump`.

    Raises:
        InputError: for a class that is not in the categories, or for a box or score that is not finite.

    Example:
        >>> detections = {"boxes": [[0.1, 0.2, 0.5, 0.6]], "classes": [0], "scores": [0.75]}
        >>> coco_results(12, (200, 100), detections, Categories(ids=(90,), names=("cell",)))
        [{'image_id': 12, 'category_id': 90, 'bbox': [20.0, 20.0, 40.0, 80.0], 'score': 0.75}]
    """
    boxes, classes, keep = check_objects(detections, image_id, "detections", categories)
    scores = check_scores(detections, image_id, keep)
    pixel_boxes = boxes_in_pixels(boxes, np.broadcast_to(size, (len(boxes), 2)))
    return list(result_rows(image_id, pixel_boxes, classes, scores, categories))


def result_rows(image_id, pixel_boxes, classes, scores, categories):
    """Yields one dictionary per detection in COCO's results format, see `coco_results`.

    Args:
        image_id: int, id of the image.
        pixel_boxes: float64 `(m, 4)`, `xywh` in pixels.
        classes: int `(m,)`.
        scores: float `(m,)`.
        categories: `Categories`.

    Yields:
        Dictionaries with `"image_id"`, `"category_id"`, `"bbox"` and `"score"`.
    """
    for box, index, score in zip(pixel_boxes, classes, scores, strict=True):
        yield {
            "image_id": int(image_id),
            "category_id": int(categories.ids[index]),
            "bbox": [round(float(value), 4) for value in box],  # finer than the resolution of float32
            "score": float(score),
        }


def boxes_in_pixels(boxes, sizes):
    """Converts relative boxes of many images at once to COCO's boxes in pixels.

    Computed in float64: COCO's scores depend on the last digits.

    Args:
        boxes: float `(n, 4)`, `rel_yxyx` of each box's own image.
        sizes: int `(n, 2)`, height and width in pixels of each box's own image.

    Returns:
        float64 array `(n, 4)`, `xywh` in pixels. A box with edges in the wrong order gets a side of 0.
    """
    sizes = np.asarray(sizes, np.float64)
    image_shape = (sizes[:, :1], sizes[:, 1:])  # (n, 1) each
    pixels = convert_boxes(boxes, "rel_yxyx", "xywh", image_shape=image_shape, dtype="float64").numpy()
    return np.concatenate([pixels[:, :2], np.maximum(pixels[:, 2:], 0.0)], axis=-1)


def check_objects(objects, image_id, what, categories):
    """Checks the boxes and classes of one image and removes the padding.

    Args:
        objects: dictionary of `"boxes"` `(n, 4)` and `"classes"` `(n,)`; rows of class -1 are padding.
        image_id: int, for the message of an error.
        what: str, name of the objects in the message of an error, for example `"detections"`.
        categories: `Categories`.

    Returns:
        `(boxes, classes, keep)`: float64 `(m, 4)`, int64 `(m,)` and the mask bool `(n,)` of the rows that were kept.

    Raises:
        InputError: for a class that is not in the categories, or for a box that is not finite.
    """
    boxes = np.asarray(objects["boxes"], np.float64).reshape(-1, 4)  # (n, 4)
    classes = np.asarray(objects["classes"]).astype(np.int64).reshape(-1)  # (n,)
    if len(boxes) != len(classes):
        raise InputError(
            f"The {what} of image {image_id} must have one class for each box. "
            f"Received: {len(boxes)} boxes and {len(classes)} classes."
        )
    keep = classes >= 0
    boxes, classes = boxes[keep], classes[keep]
    is_finite = np.isfinite(boxes).all(axis=-1)
    if not is_finite.all():
        raise InputError(
            f"The boxes in the {what} of image {image_id} must be finite. Received: {boxes[~is_finite][0].tolist()}."
        )
    if len(classes) and classes.max() >= len(categories):
        raise InputError(
            f"The classes in the {what} of image {image_id} must be between 0 and {len(categories) - 1}, because there "
            f"are {len(categories)} categories. Received: class {classes.max()}."
        )
    return boxes, classes, keep


def check_scores(detections, image_id, keep):
    """Checks the scores of the detections of one image.

    Args:
        detections: dictionary with `"scores"` `(n,)`.
        image_id: int, for the message of an error.
        keep: bool `(n,)`, the rows that are not padding.

    Returns:
        float64 `(m,)`, the scores of these rows.

    Raises:
        InputError: for a score that is not finite.
    """
    scores = np.asarray(detections["scores"], np.float64).reshape(-1)[keep]
    if not np.isfinite(scores).all():
        bad = scores[~np.isfinite(scores)][0]
        raise InputError(f"The scores in the detections of image {image_id} must be finite. Received: {bad}.")
    return scores
