"""Checks of the images that `generate` and `detect` are given, before anything is computed."""

from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf
from keras import ops

from pix2seq_keras.data.images.given_image import FORMS, is_one_image, kind_of
from pix2seq_keras.errors import InputError

ROOM = 0.25  # beyond [0, 1]: resampling with a sharp filter overshoots at edges


def checked_images(model, images):
    """A batch of canvases as a float32 tensor.

    Args:
        model: `Pix2Seq`.
        images: array or tensor (B, H, W, 3) at the model's `image_size`, float in [0, 1] or uint8.

    Returns:
        float32 tensor (B, H, W, 3) in [0, 1].

    Raises:
        InputError: if they have another shape or type, the batch is empty, or a number is not in [0, 1].
    """
    try:
        images = ops.convert_to_tensor(images)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`images` must be an array (B, H, W, 3). Received: {kind_of(images)}. `detect` takes images in more forms."
        ) from error
    wanted = (*model.image_size, 3)
    if len(images.shape) != 4 or tuple(images.shape[1:]) != wanted:
        raise InputError(
            f"`images` must be a batch of shape (B, {', '.join(map(str, wanted))}). Received: shape "
            f"{tuple(images.shape)}. `detect` takes images of any size as paths or uint8 arrays."
        )
    is_uint8 = images.dtype == tf.uint8
    if not is_uint8 and not keras.backend.is_float_dtype(keras.backend.standardize_dtype(images.dtype)):
        raise InputError(
            f"`images` must be floating point in [0, 1], or uint8. Received: dtype {images.dtype}. Divide by 255, or "
            "give `detect` uint8 arrays."
        )
    if images.shape[0] == 0:
        raise InputError(f"`images` must hold at least one image. Received: shape {tuple(images.shape)}")
    images = tf.cast(images, tf.float32) / (255.0 if is_uint8 else 1.0)
    if tf.executing_eagerly() and not is_uint8:  # graphs are not slowed down
        _check_range(images)
    return images


def _check_range(images):
    if not tf.reduce_all(tf.math.is_finite(images)):
        rows = tf.where(~tf.reduce_all(tf.math.is_finite(images), axis=[1, 2, 3]))[:, 0].numpy().tolist()
        raise InputError(f"`images` must be finite numbers in [0, 1]. Received: NaN or infinity in rows {rows}")
    lowest, highest = float(tf.reduce_min(images)), float(tf.reduce_max(images))
    if highest > 1 + ROOM or lowest < -ROOM:
        what = "Divide them by 255, or give uint8." if lowest >= 0 else "Undo the normalisation of their colours."
        raise InputError(f"`images` must be in [0, 1]. Received: numbers from {lowest:g} to {highest:g}. {what}")


def each_image(images):
    """What a caller of `detect` gave, image by image.

    Args:
        images: one image, see `read_image`; or an iterable of images: a list, a generator, a column of paths, or a
            uint8 batch (B, H, W, 3).

    Returns:
        Iterable of what `read_image` takes. Of a generator, nothing has been read yet.

    Raises:
        InputError: if it is neither.
    """
    if is_one_image(images):
        return [images]
    if hasattr(images, "shape") and len(images.shape) in (0, 2, 3):
        return [images]
    if isinstance(images, Iterable) and not isinstance(images, Mapping | set | frozenset):
        return images
    raise InputError(f"`images` must be {FORMS}, or a list or generator of them. Received: {kind_of(images)}.")


def image_list(images):
    """As `each_image`, as a list that is not empty."""
    found = list(each_image(images))
    if not found:
        raise InputError(f"`images` must hold at least one image. Received: {kind_of(images)} without images.")
    return found
