"""On how many devices a run trains."""

import contextlib

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
