"""Checks of what `fit`, `evaluate`, `predict` and the model itself are given, before a graph runs."""

import inspect
from collections.abc import Mapping

import keras
import tensorflow as tf

from pix2seq_keras.data.images.given_image import is_one_image, kind_of
from pix2seq_keras.errors import InputError


def with_token_weights(batch):
    """Turns weights of whole images into weights of their tokens, in the graph of a step.

    Args:
        batch: what `fit` reads: (x, targets (B, L), weights or nothing).

    Returns:
        The batch with weights (B, L), or None.

    Raises:
        InputError: if the weights have another shape than (B,), (B, 1) or (B, L).
    """
    x, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
    if weights is None or targets is None:
        return batch
    check_weights(targets, weights)
    if weights.shape == targets.shape and tf.TensorShape(weights.shape).rank == 2:
        return batch
    # After steps with weights of several ranks, TensorFlow does not know the rank any more.
    rows = tf.reshape(weights, [tf.shape(targets)[0], -1])  # (B, 1) or (B, L)
    return x, targets, tf.broadcast_to(rows, tf.shape(targets))  # their sum normalises the loss


def check_weights(targets, weights):
    """Checks the shape of the weights, as far as it is known.

    Args:
        targets: array, tensor or its `tf.TensorSpec`, (B, L); or None.
        weights: likewise, (B,), (B, 1) or (B, L).

    Raises:
        InputError: if it is another shape, or none.
    """
    if weights is None or getattr(targets, "shape", None) is None:
        return
    shape, wanted = getattr(weights, "shape", None), targets.shape
    if any(getattr(one, "rank", 0) is None for one in (shape, wanted)):
        return
    length = wanted[1] if len(wanted) == 2 else None
    fits = shape is not None and (
        len(shape) == 1 or (len(shape) == 2 and (length is None or shape[1] in (None, 1, length)))
    )
    if not fits:
        raise InputError(
            f"`sample_weight` must have the shape (B,), a weight for each image, or (B, {length}), a weight for each "
            f"token. Received: {kind_of(weights) if shape is None else f'shape {tuple(shape)}'}."
        )


def check_arguments(method, *args, **kwargs):
    """Checks the weights among the arguments of `fit`, `evaluate` and the like.

    Args:
        method: function, the method of `keras.Model`.
        *args: its arguments, without the model.
        **kwargs: its arguments by name.

    Raises:
        InputError: if there are weights of classes, or weights of another shape than that of the targets.
    """
    arguments = inspect.signature(method).bind_partial(None, *args, **kwargs).arguments
    if arguments.get("class_weight") is not None:
        raise InputError(
            "`class_weight` must be None: targets are tokens, not classes. Received: class_weight="
            f"{arguments['class_weight']!r}. Give `sample_weight` (B, L), a weight for each token, or let images with "
            "rare classes come more often: `training_dataset(…, repeat_threshold=…)`."
        )
    check_weights(arguments.get("y"), arguments.get("sample_weight"))
    for data in (arguments.get("x"), arguments.get("validation_data")):
        spec = data.element_spec if isinstance(data, tf.data.Dataset) else data
        if isinstance(spec, tuple) and len(spec) == 3:
            check_weights(*spec[1:])


def check_inputs(inputs):
    """Checks the inputs of the model's call.

    Raises:
        InputError: if they are not a dictionary of images and tokens.
    """
    if not isinstance(inputs, Mapping) or not {"images", "tokens"} <= inputs.keys():
        received = f"the keys {sorted(map(str, inputs))}" if isinstance(inputs, Mapping) else kind_of(inputs)
        raise InputError(
            "The model must be given a dictionary of `images` and `tokens`, from which it computes the logits of the "
            f"next tokens. Received: {received}. To find objects in images, use `detect(images)`."
        )


def check_predicted(x):
    """Checks what `predict` is given, as far as that is known before it is read; see `check_inputs`."""
    if is_one_image(x) or hasattr(x, "shape") or isinstance(x, Mapping | list | tuple):
        check_inputs(x)
