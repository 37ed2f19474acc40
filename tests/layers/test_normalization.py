"""The LayerNorm of every block."""

import numpy as np

from pix2seq_keras.layers.normalization import layer_norm


def test_the_norm_has_the_published_epsilon():
    norm = layer_norm("norm")
    x = np.array([[1e-3, -1e-3, 2e-3, -2e-3]], "float32")  # so small that the epsilon shows

    output = norm(x)

    np.testing.assert_allclose(output, x / np.sqrt(x.var() + 1e-6), rtol=1e-4)
    assert norm.name == "norm"
    assert len(norm.trainable_weights) == 2
