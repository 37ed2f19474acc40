"""Multi-head attention in two parts, so that decoding can keep the projected keys and values."""

import keras
from keras import ops

from pix2seq_keras.errors import InputError


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class Attention(keras.layers.Layer):
    """Multi-head dot-product attention with biases (Vaswani et al. 2017, section 3.2).

    The same mathematics as `keras.layers.MultiHeadAttention(num_heads, dim // num_heads)`; keys and values can be
    projected once and used by many queries.

    Args:
        dim: int, width of queries and output.
        num_heads: int, divides `dim`.

    Call arguments:
        queries: float tensor (B, L, dim).
        memory: float tensor (B, N, any), what keys and values are projected from.
        causal: bool, whether position i attends only to the memory's positions 0 … i. Defaults to False.
        return_weights: bool, whether the attention weights (B, heads, L, N) are a second output. Defaults to False.

    Returns:
        float tensor (B, L, dim).

    Raises:
        InputError: if `num_heads` does not divide `dim`.

    Example:
        >>> Attention(dim=64, num_heads=4)(keras.ops.ones((2, 5, 64)), keras.ops.ones((2, 9, 32))).shape
        (2, 5, 64)
    """

    def __init__(self, dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        if num_heads < 1 or dim < 1 or dim % num_heads:
            raise InputError(
                f"`num_heads` must be at least 1 and divide `dim`. Received: num_heads={num_heads}, dim={dim}."
            )
        self.dim = dim
        self.num_heads = num_heads
        dense = lambda name: keras.layers.Dense(dim, dtype=self.dtype_policy, name=name)
        self.query, self.key, self.value, self.output_dense = map(dense, ("query", "key", "value", "output"))

    def build(self, queries_shape, memory_shape):
        for dense, shape in ((self.query, queries_shape), (self.key, memory_shape), (self.value, memory_shape)):
            dense.build(shape)
        self.output_dense.build((*queries_shape[:-1], self.dim))

    def split_heads(self, x):
        """(B, L, dim) -> (B, heads, L, dim / heads)."""
        length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
        x = ops.reshape(x, (-1, length, self.num_heads, self.dim // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def project_memory(self, memory):
        """Keys and values of a memory (B, N, any): two tensors (B, heads, N, dim / heads)."""
        return self.split_heads(self.key(memory)), self.split_heads(self.value(memory))

    def compute_attention(self, queries, keys, values, mask=None):
        """Attention over keys and values that are already projected.

        Args:
            queries: float tensor (B, L, dim), not yet projected.
            keys: float tensor (B, heads, N, dim / heads), of `project_memory`.
            values: float tensor (B, heads, N, dim / heads), of `project_memory`.
            mask: bool tensor broadcastable to (B, heads, L, N), true where a query may attend; or `None` for
                everywhere. Defaults to `None`.

        Returns:
            Output (B, L, dim) and weights (B, heads, L, N).
        """
        scale = (self.dim // self.num_heads) ** -0.5
        scores = ops.matmul(self.split_heads(self.query(queries) * scale), ops.transpose(keys, (0, 1, 3, 2)))
        # The softmax is float32 under mixed precision: long rows of small numbers lose too much in 8 bits of mantissa.
        scores = ops.cast(scores, "float32")  # (B, heads, L, N)
        if mask is not None:
            scores = ops.where(mask, scores, -1e9)
        # Keras warns about a softmax over a single position.
        weights = ops.softmax(scores, axis=-1) if scores.shape[-1] != 1 else ops.ones_like(scores)
        weights = ops.cast(weights, self.compute_dtype)
        context = ops.transpose(ops.matmul(weights, values), (0, 2, 1, 3))  # (B, L, heads, dim / heads)
        length = context.shape[1] if context.shape[1] is not None else ops.shape(context)[1]
        return self.output_dense(ops.reshape(context, (-1, length, self.dim))), weights

    def call(self, queries, memory, causal=False, return_weights=False):
        mask = causal_mask(ops.shape(queries)[1]) if causal else None
        output, weights = self.compute_attention(queries, *self.project_memory(memory), mask)
        return (output, weights) if return_weights else output

    def compute_output_shape(self, queries_shape, memory_shape):
        return (*queries_shape[:-1], self.dim)

    def get_config(self):
        return {**super().get_config(), "dim": self.dim, "num_heads": self.num_heads}


def causal_mask(length):
    """Bool (L, L), true where position i may attend: to positions 0 … i."""
    return ops.arange(length)[:, None] >= ops.arange(length)[None, :]
