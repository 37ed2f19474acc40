"""Signatures: the functions that an exported model offers."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function that an exported model offers.

    Args:
        function: function of tensors that returns a dictionary of tensors.
        inputs: tuple of `tf.TensorSpec`, each with a name.
    """

    function: Callable
    inputs: tuple

    def endpoint(self):
        """The `tf.function` to give to an `ExportArchive`.

        Saving traces an endpoint a second time. Here it only calls a graph that is traced once.
        """
        graph = tf.function(self.function, self.inputs, autograph=False).get_concrete_function()
        return tf.function(lambda *inputs: graph(*inputs), self.inputs, autograph=False)
