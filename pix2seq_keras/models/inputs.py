"""What `generate` and its kin are given, checked before anything is computed."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

DEFAULT_MAX_OBJECTS = 100


def checked_max_objects(model, max_objects):
    """`max_objects` or its default; an `InputError` if the learned positions do not reach so far."""
    most = model.max_length // TOKENS_PER_OBJECT
    if max_objects is None:
        return min(DEFAULT_MAX_OBJECTS, most)
    if not isinstance(max_objects, int | np.integer) or not 1 <= max_objects <= most:
        raise InputError(
            f"max_objects must be between 1 and {most}: the model has {model.max_length} positions of 5 to an "
            f"object. Received: max_objects={max_objects!r}"
        )
    return int(max_objects)


def checked_images(model, images):
    """`images` as a float32 tensor; an `InputError` if they do not fit the model."""
    images = ops.convert_to_tensor(images)
    wanted = (*model.image_size, 3)
    if len(images.shape) != 4 or tuple(images.shape[1:]) != wanted:
        raise InputError(
            f"The model reads batches of shape (B, {', '.join(map(str, wanted))}). Received: shape "
            f"{tuple(images.shape)}. `detect` takes images of any size as paths or uint8 arrays."
        )
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(images.dtype)):
        raise InputError(
            f"The model reads float images in [0, 1]. Received: dtype {images.dtype}. Divide by 255, or give "
            "`detect` a list of uint8 arrays."
        )
    if images.shape[0] == 0:
        raise InputError(f"The batch is empty. Received: shape {tuple(images.shape)}")
    images = tf.cast(images, tf.float32)
    if tf.executing_eagerly() and not tf.reduce_all(tf.math.is_finite(images)):
        rows = tf.where(~tf.reduce_all(tf.math.is_finite(images), axis=[1, 2, 3]))[:, 0].numpy().tolist()
        raise InputError(f"Images must be finite numbers in [0, 1]. Received: NaN or infinity in rows {rows}")
    return images
