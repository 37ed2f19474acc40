"""On how many devices a run trains."""

import contextlib

import keras
import tensorflow as tf

from pix2seq_keras.errors import InputError

STRATEGIES = ("none", "mirrored")


def scope(name):
    """The context to build and compile a model in.

    Args:
        name: `"none"` for one device, `"mirrored"` for all GPUs of this machine.

    Returns:
        A context manager.

    Raises:
        InputError: if the name is unknown.
    """
    if name == "none":
        return contextlib.nullcontext()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy().scope()
    raise InputError(f"Unknown strategy: {name!r}. Use one of {', '.join(STRATEGIES)}.")


def synchronize(model):
    """Lets batch normalisation take its statistics over the whole batch, so that several devices train like one.

    Set here and not where the layers are made: on one device the synchronised form is slower, and less exact.

    Args:
        model: `keras.Model`, built in the scope of a strategy and not yet traced.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
