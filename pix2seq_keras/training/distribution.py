"""Training on one device or on several."""

import contextlib

import keras
import tensorflow as tf

from pix2seq_keras.errors import InputError

STRATEGIES = ("none", "mirrored")


def scope(name):
    """The context to build and compile a model in.

    Args:
        name: str, `"none"` for one device, `"mirrored"` for all GPUs of this machine.

    Returns:
        A context manager.

    Raises:
        InputError: if the name is unknown.
    """
    if name == "none":
        return contextlib.nullcontext()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy().scope()
    raise InputError(f"`strategy` must be one of {', '.join(STRATEGIES)}. Received: strategy={name!r}.")


def synchronize(model):
    """Synchronises batch normalisation: its statistics are those of the global batch, as on one device.

    This is not set where the layers are made, because on one device the synchronised form is slower and less exact.

    Args:
        model: `keras.Model`, built in the scope of a strategy, before its first step.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
