"""The LayerNorm of every block."""

import keras


def layer_norm(name, dtype=None):
    """A `LayerNormalization` with the published epsilon, 1e-6."""
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name, dtype=dtype)
