"""The test-time way of an image into the model: one scale, then padding; and the way of its boxes back."""

import tensorflow as tf

from pix2seq_keras.data.transforms.pad import pad_to_canvas, rescale_boxes


def to_float(image):
    """An image as float32 in [0, 1]: integers divided by their type's largest value, floats only cast."""
    return tf.image.convert_image_dtype(image, tf.float32)


def fit_to_canvas(image, canvas, antialias=True, pad_value=0.3):
    """Fits an image into the canvas, keeping its aspect, and pads it at the bottom and the right.

    The published test-time preprocessing: one scale min(H/h, W/w), sizes rounded, bilinear with antialias.

    Args:
        image: uint8 tensor (h, w, 3), or float in [0, 1].
        canvas: pair of int (H, W), in pixels.
        antialias: bool. The published weights are evaluated with antialias; TFLite has no builtin for it.
        pad_value: float, the grey of the padding.

    Returns:
        `(image, unpadded_size)`: float32 tensor (H, W, 3) in [0, 1] and int32 tensor (2,), the height and the
        width in pixels of the part that is image, which `boxes_from_canvas` needs.

    Example:
    ```python
    image, unpadded_size = fit_to_canvas(tf.zeros((480, 640, 3), tf.uint8), canvas=(192, 192))
    unpadded_size  # [144, 192]
    ```
    """
    image = to_float(image)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_min(tf.constant(canvas, tf.float32) / size)
    # An image thousands of times longer than wide would round to no pixels at all.
    unpadded_size = tf.clip_by_value(tf.cast(tf.round(size * scale), tf.int32), 1, tf.constant(canvas))
    image = tf.image.resize(image, unpadded_size, "bilinear", antialias=antialias)
    image = tf.clip_by_value(image, 0.0, 1.0)  # the filter's weights sum to 1 only up to rounding
    return pad_to_canvas(image, canvas, pad_value), unpadded_size


def boxes_to_canvas(boxes, unpadded_size, canvas):
    """Boxes relative to the image become relative to the padded canvas. (…, n, 4) -> (…, n, 4), `rel_yxyx`.

    Args:
        boxes: float32 tensor (…, n, 4), `rel_yxyx` of the image.
        unpadded_size: int tensor (…, 2), from `fit_to_canvas`.
        canvas: pair of int (H, W).

    Returns:
        float32 tensor (…, n, 4), `rel_yxyx` of the canvas.
    """
    return rescale_boxes(boxes, unpadded_size, canvas)


def boxes_from_canvas(boxes, unpadded_size, canvas):
    """Boxes relative to the padded canvas become relative to the image: the inverse of `boxes_to_canvas`.

    A box that reaches into the padding goes beyond 1; it is left to the caller whether to clip it.

    Args:
        boxes: float32 tensor (…, n, 4), `rel_yxyx` of the canvas.
        unpadded_size: int tensor (…, 2), from `fit_to_canvas`.
        canvas: pair of int (H, W).

    Returns:
        float32 tensor (…, n, 4), `rel_yxyx` of the image.
    """
    return rescale_boxes(boxes, canvas, unpadded_size)
