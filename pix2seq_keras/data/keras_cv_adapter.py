"""The one place that touches keras-cv.

keras-cv is frozen upstream. Its box formats and clipping are right and used here; its geometry layers and
COCO metrics are not (scales relative to the wrong size, boxes rounded under bfloat16, missed images left
out), so the transforms and the evaluation are ours. It is imported inside the functions because that takes
seconds.
"""

import tensorflow as tf

from pix2seq_keras.errors import InputError

FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh")


def convert_boxes(boxes, source, target, image_shape=None):
    """Converts boxes between formats.

    Args:
        boxes: float tensor (n, 4) or (B, n, 4).
        source: str, their format, one of `FORMATS`. Formats with `rel_` are relative to the image, the
            others are in pixels; `xywh` (COCO's) has the top left corner first, `center_…` the centre.
        target: str, the format to convert to.
        image_shape: pair (height, width) or triple (height, width, channels) in pixels, of int or an int
            tensor. Needed if one format is relative and the other is not.

    Returns:
        float32 tensor of the shape of `boxes`. Nothing is clipped.

    Raises:
        InputError: a format is unknown, or the conversion needs an `image_shape` and has none.

    Example:
    ```python
    convert_boxes([[8.0, 6.0, 16.0, 12.0]], "xywh", "rel_yxyx", image_shape=(48, 64))
    # [[0.125, 0.125, 0.375, 0.375]]
    ```
    """
    shape = _shape_for(source, target, image_shape)
    from keras_cv.bounding_box import convert_format

    return convert_format(tf.cast(boxes, tf.float32), source=source, target=target, image_shape=shape)


def clip_boxes(boxes, classes, box_format="rel_yxyx", image_shape=None):
    """Clips boxes to the image; a box of which nothing is left becomes padding.

    Args:
        boxes: float tensor (n, 4) or (B, n, 4).
        classes: int tensor (n,) or (B, n).
        box_format: str, the format of the boxes, one of `FORMATS`.
        image_shape: as in `convert_boxes`; needed if the format is in pixels.

    Returns:
        `(boxes, classes)` of the same shapes, float32 and int32. Boxes without area or with NaN have class −1
        and all coordinates −1.

    Raises:
        InputError: the format is unknown, or it is in pixels and there is no `image_shape`.

    Example:
    ```python
    clip_boxes([[-0.5, 0.2, 0.5, 1.2]], [7])  # [[0, 0.2, 0.5, 1]], [7]
    ```
    """
    shape = _shape_for(box_format, "rel_xyxy", image_shape)
    from keras_cv.bounding_box import clip_to_image

    objects = {"boxes": tf.cast(boxes, tf.float32), "classes": tf.cast(classes, tf.int32)}
    clipped = clip_to_image(objects, bounding_box_format=box_format, image_shape=shape)
    return clipped["boxes"], clipped["classes"]


def _shape_for(source, target, image_shape):
    """Checks the formats and gives the image's shape the three entries that keras-cv wants."""
    for name in (source, target):
        if name not in FORMATS:
            raise InputError(f"Unknown box format. Received {name!r}: use one of {', '.join(FORMATS)}.")
    if image_shape is None:
        if source.startswith("rel_") != target.startswith("rel_"):
            raise InputError(
                f"Converting boxes from {source!r} to {target!r} needs the image's size. Received "
                "image_shape=None: pass (height, width)."
            )
        return None
    return (image_shape[0], image_shape[1], 3)
