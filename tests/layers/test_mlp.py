"""The perceptron of every block."""

import math

import numpy as np

from pix2seq_keras.layers import MLP


def test_the_mlp_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(MLP(12), numbers(2, 3, 8)).shape == (2, 3, 8)


def test_its_gelu_is_the_exact_one():
    mlp = MLP(1)
    mlp.build((None, 1))
    for weight in (mlp.hidden.kernel, mlp.output_dense.kernel):
        weight.assign(np.ones((1, 1)))
    x = np.linspace(-4, 4, 81, dtype="float32")[:, None]

    output = mlp(x)

    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x[:, 0]]
    np.testing.assert_allclose(output[:, 0], exact, atol=1e-6)  # the tanh form is off by up to 5e-4


def test_dropout_is_for_training_only(numbers):
    mlp, x = MLP(64, dropout=0.5), numbers(2, 3, 8)

    calm = mlp(x)

    np.testing.assert_array_equal(mlp(x, training=False), calm)
    assert np.abs(mlp(x, training=True) - calm).max() > 1e-3
