"""The kernel of a dense layer in floating point, whatever it is kept in."""

import keras
import numpy as np
import pytest
from keras.quantizers import Int4QuantizationConfig, Int8QuantizationConfig

from pix2seq_keras.layers.dense_kernel import dense_kernel


@pytest.mark.parametrize(
    "config",
    [
        None,
        Int8QuantizationConfig(activation_quantizer=None),
        Int4QuantizationConfig(block_size=None),
        Int4QuantizationConfig(block_size=4),
    ],
)
def test_it_is_what_the_layer_multiplies_by(config):
    dense = keras.layers.Dense(5)  # an odd width: two numbers of 4 bits share a byte
    dense.build((None, 7))
    if config is not None:
        dense.quantize(config.mode, config=config)
    x = np.random.default_rng(0).normal(size=(3, 7)).astype("float32")

    kernel = np.asarray(dense_kernel(dense))

    assert kernel.shape == (7, 5)
    np.testing.assert_allclose(x @ kernel, dense(x), atol=1e-5)
