"""Scale jitter: the image at a random size relative to the canvas."""

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def scale_jitter(image, boxes, canvas, *, min_scale=0.3, max_scale=2.0, seed):
    """Resizes an image to fit s·canvas, keeping its aspect ratio, with one s uniform in [min_scale, max_scale].

    The scale is relative to the canvas, not to the image, so that large and small images are treated alike. As
    published: sizes truncated, bilinear, no antialias. Training uses `jitter_and_crop`; this function is the reference
    that it is tested against.

    Args:
        image: float32 tensor (h, w, 3) in [0, 1].
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image; a resize does not change them.
        canvas: pair of int (H, W), in pixels.
        min_scale: float > 0, the smallest s. Defaults to 0.3.
        max_scale: float ≥ min_scale, the largest s. Defaults to 2. If both are 1, the image just fits the canvas.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: float32 (h′, w′, 3) with h′ ≤ s·H and w′ ≤ s·W, and the boxes unchanged.

    Raises:
        InputError: if the scales are not 0 < min_scale ≤ max_scale.

    Example:
        >>> image, boxes = scale_jitter(image, boxes, canvas=(640, 640), seed=(0, 1))
    """
    size = jittered_size(tf.shape(image)[:2], canvas, min_scale, max_scale, seed)
    return tf.image.resize(image, size, "bilinear", antialias=False), boxes


def jittered_size(size, canvas, min_scale, max_scale, seed, upright_size=None):
    """The size that `scale_jitter` gives an image.

    Args:
        size: int32 tensor (2,), height and width of the image in pixels.
        canvas: pair of int (H, W), in pixels.
        min_scale: float > 0, the smallest scale relative to the canvas.
        max_scale: float ≥ min_scale, the largest one.
        seed: int tensor (2,).
        upright_size: int32 tensor (2,) or None, height and width before the image was rotated; None if it was not.
            The scale is that of the upright image, so that objects are as large as in upright images.

    Returns:
        int32 tensor (2,), height and width in pixels, at least 1.

    Raises:
        InputError: if the scales are not 0 < min_scale ≤ max_scale.
    """
    if not 0 < min_scale <= max_scale:
        raise InputError(
            "`min_scale` must be above 0 and at most `max_scale`. "
            f"Received: min_scale={min_scale}, max_scale={max_scale}"
        )
    jitter = tf.random.stateless_uniform([], fold(seed, "scale_jitter"), min_scale, max_scale)
    size = tf.cast(size, tf.float32)
    fitted = size if upright_size is None else tf.cast(upright_size, tf.float32)
    scale = tf.reduce_min(jitter * tf.constant(canvas, tf.float32) / fitted)
    return tf.maximum(tf.cast(size * scale, tf.int32), 1)
