"""Padding of an image to the canvas."""

import tensorflow as tf

from pix2seq_keras.errors import InputError


def pad_to_canvas(image, canvas, pad_value=0.3):
    """Pads an image at the bottom and the right until it has the size of the canvas.

    The image keeps its top left corner; `boxes.boxes_to_canvas` moves its boxes to the canvas.

    Args:
        image: float32 tensor (h, w, 3) with h ≤ H and w ≤ W.
        canvas: pair of int (H, W), in pixels.
        pad_value: float, the grey of the padding. Defaults to 0.3, with which the published weights were trained.

    Returns:
        float32 tensor (H, W, 3), of static shape.

    Raises:
        InputError: if the image is larger than the canvas. Where the size is only known in the graph,
            `tf.errors.InvalidArgumentError` is raised there.

    Example:
        >>> pad_to_canvas(tf.ones((1, 2, 3)), canvas=(2, 2))[..., 0].numpy()
        array([[1. , 1. ],
               [0.3, 0.3]], dtype=float32)
    """
    height, width = canvas
    known = image.shape[:2]
    if known.rank is not None and any(n is not None and n > most for n, most in zip(known, canvas, strict=True)):
        raise InputError(
            f"An image must fit the canvas that it is padded to. Received: an image of {tuple(known)} and "
            f"canvas={tuple(canvas)} (height, width). Crop or resize the image first."
        )
    size = tf.shape(image)
    fits = tf.debugging.assert_less_equal(
        size[:2],
        tf.constant([height, width]),
        f"An image must fit the canvas {tuple(canvas)} that it is padded to. Crop or resize it first.",
    )
    # tf.data runs a graph without automatic control dependencies: without this order the padding could fail first,
    # with a message about paddings. Outside a graph the check is already done and `fits` is None.
    with tf.control_dependencies([fits] if fits is not None else []):
        size = tf.identity(size)
    # Padded as (h, 3·w): tf.pad takes up to six times as long where the last axis is a short one without padding.
    rows = tf.reshape(image, tf.stack([size[0], 3 * size[1]]))
    paddings = [[0, height - size[0]], [0, 3 * (width - size[1])]]
    padded = tf.pad(rows, paddings, constant_values=tf.cast(pad_value, image.dtype))
    return tf.reshape(padded, (height, width, 3))
