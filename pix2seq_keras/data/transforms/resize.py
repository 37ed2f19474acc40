"""The test-time preprocessing of an image: one scale, then padding to the canvas."""

import tensorflow as tf

from pix2seq_keras.data.transforms.pad import pad_to_canvas


def to_float(image):
    """Converts an image to float32 in [0, 1].

    Args:
        image: tensor (…, h, w, 3) of integers, which are divided by their type's largest value, or of floats, which
            are only cast.

    Returns:
        float32 tensor of the same shape.
    """
    return tf.image.convert_image_dtype(image, tf.float32)


def fit_to_canvas(image, canvas, antialias=True, pad_value=0.3):
    """Fits an image into the canvas, keeping its aspect ratio, and pads it at the bottom and the right.

    The published test-time preprocessing: one scale min(H/h, W/w), sizes rounded, bilinear with antialias.

    Args:
        image: uint8 tensor (h, w, 3), or float in [0, 1].
        canvas: pair of int (H, W), in pixels.
        antialias: bool. Defaults to True, as the published weights are evaluated. TFLite has no builtin for it.
        pad_value: float, the grey of the padding. Defaults to 0.3.

    Returns:
        `(image, unpadded_size)`: float32 tensor (H, W, 3) in [0, 1] and int32 tensor (2,), the height and the width
        in pixels of the part that is image, which `boxes.boxes_from_canvas` needs.

    Example:
        >>> image, unpadded_size = fit_to_canvas(tf.zeros((480, 640, 3), tf.uint8), canvas=(192, 192))
        >>> unpadded_size.numpy()
        array([144, 192], dtype=int32)
    """
    image = to_float(image)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_min(tf.constant(canvas, tf.float32) / size)
    # At least one pixel: an image thousands of times longer than wide would round to none.
    unpadded_size = tf.clip_by_value(tf.cast(tf.round(size * scale), tf.int32), 1, tf.constant(canvas))
    image = tf.image.resize(image, unpadded_size, "bilinear", antialias=antialias)
    image = tf.clip_by_value(image, 0.0, 1.0)  # the filter's weights sum to 1 only up to rounding
    return pad_to_canvas(image, canvas, pad_value), unpadded_size
