"""Padding at the bottom and the right, and what that does to boxes."""

import tensorflow as tf

from pix2seq_keras.errors import InputError


def pad_to_canvas(image, canvas, pad_value=0.3):
    """Pads an image at the bottom and the right until it has the canvas's size.

    The image keeps its top left corner, so boxes only change their frame: `rescale_boxes`.

    Args:
        image: float32 tensor (h, w, 3) with h ≤ H and w ≤ W.
        canvas: pair of int (H, W), in pixels.
        pad_value: float, the grey of the padding. The published weights were trained with 0.3.

    Returns:
        float32 tensor (H, W, 3), of static shape.

    Raises:
        InputError: the image is known to be larger than the canvas. Where its size is only known in the
            graph, `tf.errors.InvalidArgumentError` is raised there.

    Example:
    ```python
    image = pad_to_canvas(tf.ones((2, 3, 3)), canvas=(4, 4))  # rows 2, 3 and column 3 are 0.3
    ```
    """
    height, width = canvas
    known = image.shape[:2]
    if known.rank is not None and any(n is not None and n > most for n, most in zip(known, canvas, strict=True)):
        raise InputError(
            f"An image must fit the canvas it is padded to. Received an image of {tuple(known)} and "
            f"canvas={tuple(canvas)} (height, width): crop or resize the image first."
        )
    size = tf.shape(image)
    fits = tf.debugging.assert_less_equal(
        size[:2],
        tf.constant([height, width]),
        f"An image must fit the canvas {tuple(canvas)} it is padded to: crop or resize it first.",
    )
    # tf.data runs a graph without automatic control dependencies: without an order of our own the padding may fail
    # first, with a sentence about paddings. Outside a graph the check has already been made and gives None.
    with tf.control_dependencies([fits] if fits is not None else []):
        size = tf.identity(size)
    # As rows of numbers: with an axis of three, which is not padded, tf.pad takes up to six times as long.
    rows = tf.reshape(image, tf.stack([size[0], 3 * size[1]]))
    paddings = [[0, height - size[0]], [0, 3 * (width - size[1])]]
    padded = tf.pad(rows, paddings, constant_values=tf.cast(pad_value, image.dtype))
    return tf.reshape(padded, (height, width, 3))


def rescale_boxes(boxes, from_size, to_size):
    """Moves relative boxes between two frames that share their top left corner: boxes · from_size / to_size.

    Nothing is clipped: going to a smaller frame may leave coordinates above 1.

    Args:
        boxes: float32 tensor (…, n, 4), `rel_yxyx` of the frame `from_size`.
        from_size: (height, width) in pixels, a pair or an int tensor (…, 2): one for all boxes, or one for
            each image of a batch.
        to_size: likewise, the frame to go to.

    Returns:
        float32 tensor (…, n, 4), `rel_yxyx` of the frame `to_size`.

    Example:
    ```python
    rescale_boxes([[0.0, 0.0, 1.0, 1.0]], from_size=(48, 64), to_size=(64, 64))  # [[0, 0, 0.75, 1]]
    ```
    """
    ratio = tf.cast(from_size, tf.float32) / tf.cast(to_size, tf.float32)  # (…, 2)
    ratio = tf.concat([ratio, ratio], -1)[..., tf.newaxis, :]  # (…, 1, 4)
    return tf.cast(boxes, tf.float32) * ratio
