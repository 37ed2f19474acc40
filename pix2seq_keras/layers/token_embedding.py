"""Token embedding and, with the same matrix, output logits."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class CoordinateInitializer(keras.initializers.Initializer):
    """Initialises the embeddings of coordinate bins with sines and cosines, so that neighbours start similar.

    All other tokens start with a truncated normal, as published. With similar neighbours, not every bin must be learnt
    from examples of its own. This shortens the plateau at the start of training on small data.

    Args:
        coord_shift: int, row of coordinate bin 0.
        num_bins: int, number of coordinate bins.
        stddev: float, standard deviation of the normal and of the code. Defaults to 0.02.
        highest_frequency: float, periods of the fastest sine over [0, 1]; the slowest has a quarter of a period.
            Defaults to 8.
    """

    def __init__(self, coord_shift, num_bins, stddev=0.02, highest_frequency=8.0):
        self.config = {
            "coord_shift": coord_shift,
            "num_bins": num_bins,
            "stddev": stddev,
            "highest_frequency": highest_frequency,
        }

    def __call__(self, shape, dtype=None):
        stddev, shift, bins = self.config["stddev"], self.config["coord_shift"], self.config["num_bins"]
        table = np.array(keras.initializers.TruncatedNormal(stddev=stddev)(shape, dtype="float32"))
        frequencies = np.geomspace(0.25, self.config["highest_frequency"], shape[1] // 2)
        angles = 2 * np.pi * np.linspace(0, 1, bins)[:, None] * frequencies  # (bins, D / 2)
        code = np.concatenate([np.sin(angles), np.cos(angles)], axis=1) * stddev * 2**0.5
        table[shift : shift + bins, : code.shape[1]] = code
        return ops.convert_to_tensor(table, dtype)

    def get_config(self):
        return dict(self.config)


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class TokenEmbedding(keras.layers.Layer):
    """Token embeddings with learned positions, tied to the output layer.

    Args:
        vocabulary_size: int, number of tokens V.
        dim: int, width D.
        max_length: int, number of learned positions.
        input_scale: float, factor for embeddings and positions at the input. The published model uses 1. With √dim
            the tokens weigh as much as the attention's output from the start, which shortens the plateau. Defaults to
            1.
        stddev: float, σ of the truncated normals that embeddings and positions start with. The published model uses
            0.02; with 0.1 coordinates were learnt faster on small data (docs/results.md). Defaults to 0.02.
        embeddings_initializer: Keras initialiser of the token embeddings. Defaults to `None`, that truncated normal.

    Call arguments:
        tokens: int tensor (B, L).
        position: int or int scalar tensor, the position of the first token; position + L ≤ max_length. Defaults to 0.

    Returns:
        float tensor (B, L, D).

    Example:
        >>> embedding = TokenEmbedding(vocabulary_size=100, dim=32, max_length=20)
        >>> hidden = embedding(keras.ops.zeros((2, 5), "int32"))
        >>> embedding.logits(hidden).shape
        (2, 5, 100)
    """

    def __init__(
        self, vocabulary_size, dim, max_length, input_scale=1.0, stddev=0.02, embeddings_initializer=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.input_scale = input_scale
        self.stddev = stddev
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer) or _normal(stddev)
        self.vocabulary_size = vocabulary_size
        self.dim = dim
        self.max_length = max_length

    def build(self, input_shape=None):
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.vocabulary_size, self.dim), initializer=self.embeddings_initializer
        )
        self.positions = self.add_weight(
            name="positions", shape=(self.max_length, self.dim), initializer=_normal(self.stddev)
        )
        self.output_bias = self.add_weight(name="output_bias", shape=(self.vocabulary_size,), initializer=_normal(0.02))

    def call(self, tokens, position=0):
        places = ops.arange(ops.shape(tokens)[1]) + position  # (L,)
        # Added in float32 and cast once, so that mixed precision rounds only once.
        vectors = ops.take(self.embeddings, tokens, axis=0) + ops.take(self.positions, places, axis=0)
        return ops.cast(vectors * self.input_scale, self.compute_dtype)  # (B, L, D)

    def logits(self, hidden):
        """Output logits h·Eᵀ + b: float tensor (..., D) -> float32 tensor (..., V)."""
        embeddings = ops.cast(ops.transpose(self.embeddings), self.compute_dtype)
        product = ops.matmul(ops.cast(hidden, self.compute_dtype), embeddings)
        return ops.cast(product, "float32") + ops.cast(self.output_bias, "float32")

    def head(self, tokens):
        """The output layer for some of the tokens, made once for many steps.

        Args:
            tokens: int array (n,).

        Returns:
            Function: float tensor (..., D) -> float32 logits (..., n).
        """
        kernel = ops.cast(ops.transpose(ops.take(self.embeddings, tokens, axis=0)), self.compute_dtype)  # (D, n)
        bias = ops.cast(ops.take(self.output_bias, tokens, axis=0), "float32")
        return lambda hidden: ops.cast(ops.matmul(ops.cast(hidden, self.compute_dtype), kernel), "float32") + bias

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.dim)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "dim": self.dim,
            "max_length": self.max_length,
            "input_scale": self.input_scale,
            "stddev": self.stddev,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
        }


def _normal(stddev):
    """A new initialiser each time: one object for several weights would give them equal values."""
    return keras.initializers.TruncatedNormal(stddev=stddev)
