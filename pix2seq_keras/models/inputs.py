"""Checks of the images that `generate` and `detect` are given, before anything is computed."""

import keras
import tensorflow as tf
from keras import ops

from pix2seq_keras.errors import InputError


def checked_images(model, images):
    """A batch of canvases as a float32 tensor.

    Args:
        model: `Pix2Seq`.
        images: float array or tensor (B, H, W, 3) in [0, 1] at the model's `image_size`.

    Returns:
        float32 tensor (B, H, W, 3).

    Raises:
        InputError: if they have another shape or type, the batch is empty, or a number is not finite.
    """
    images = ops.convert_to_tensor(images)
    wanted = (*model.image_size, 3)
    if len(images.shape) != 4 or tuple(images.shape[1:]) != wanted:
        raise InputError(
            f"`images` must be a batch of shape (B, {', '.join(map(str, wanted))}). Received: shape "
            f"{tuple(images.shape)}. `detect` takes images of any size as paths or uint8 arrays."
        )
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(images.dtype)):
        raise InputError(
            f"`images` must be floating point in [0, 1]. Received: dtype {images.dtype}. Divide by 255, or give "
            "`detect` a list of uint8 arrays."
        )
    if images.shape[0] == 0:
        raise InputError(f"`images` must hold at least one image. Received: shape {tuple(images.shape)}")
    images = tf.cast(images, tf.float32)
    if tf.executing_eagerly() and not tf.reduce_all(tf.math.is_finite(images)):
        rows = tf.where(~tf.reduce_all(tf.math.is_finite(images), axis=[1, 2, 3]))[:, 0].numpy().tolist()
        raise InputError(f"`images` must be finite numbers in [0, 1]. Received: NaN or infinity in rows {rows}")
    return images
