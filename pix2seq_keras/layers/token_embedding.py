"""Tokens to vectors and, with the same matrix, vectors to logits."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class TokenEmbedding(keras.layers.Layer):
    """Token embeddings with learned positions, tied to the output layer.

    Args:
        vocabulary_size: int, number of tokens V.
        dim: int, width D.
        max_length: int, number of learned positions.

    Call arguments:
        tokens: int tensor (B, L).
        position: int or int scalar tensor, the position of the first token; position + L ≤ max_length.

    Returns:
        float tensor (B, L, D).

    Example:
        >>> embedding = TokenEmbedding(vocabulary_size=100, dim=32, max_length=20)
        >>> hidden = embedding(keras.ops.zeros((2, 5), "int32"))
        >>> embedding.logits(hidden).shape
        (2, 5, 100)
    """

    def __init__(self, vocabulary_size, dim, max_length, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.dim = dim
        self.max_length = max_length

    def build(self, input_shape=None):
        weight = lambda name, shape: self.add_weight(
            name=name, shape=shape, initializer=keras.initializers.TruncatedNormal(stddev=0.02)
        )
        self.embeddings = weight("embeddings", (self.vocabulary_size, self.dim))
        self.positions = weight("positions", (self.max_length, self.dim))
        self.output_bias = weight("output_bias", (self.vocabulary_size,))

    def call(self, tokens, position=0):
        places = ops.arange(ops.shape(tokens)[1]) + position  # (L,)
        # Adding in float32 and casting once keeps mixed precision's rounding to one place.
        vectors = ops.take(self.embeddings, tokens, axis=0) + ops.take(self.positions, places, axis=0)
        return ops.cast(vectors, self.compute_dtype)  # (B, L, D)

    def logits(self, hidden):
        """Output logits h·Eᵀ + b: float tensor (..., D) -> float32 tensor (..., V)."""
        embeddings = ops.cast(ops.transpose(self.embeddings), self.compute_dtype)
        product = ops.matmul(ops.cast(hidden, self.compute_dtype), embeddings)
        return ops.cast(product, "float32") + ops.cast(self.output_bias, "float32")

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.dim)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "dim": self.dim,
            "max_length": self.max_length,
        }
