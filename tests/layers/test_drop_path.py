"""Stochastic depth."""

import keras
import numpy as np

from pix2seq_keras.layers import DropPath


def test_drop_path_satisfies_the_layer_contract(check_layer, numbers):
    x = numbers(2, 3, 4)

    np.testing.assert_array_equal(check_layer(DropPath(0.3, seed=1), x), x)


def test_whole_samples_are_dropped_and_the_others_rescaled():
    x = np.ones((2000, 3, 2), "float32")

    output = np.asarray(DropPath(0.25, seed=5)(x, training=True))

    dropped = (output == 0).all((1, 2))
    np.testing.assert_allclose(output[~dropped], 1 / 0.75, rtol=1e-6)
    assert abs(dropped.mean() - 0.25) < 0.04  # 4σ


def test_without_training_or_rate_nothing_is_dropped(numbers):
    x = numbers(50, 2)

    np.testing.assert_array_equal(DropPath(0.9)(x, training=False), x)
    np.testing.assert_array_equal(DropPath(0.0)(x, training=True), x)


def test_every_call_draws_anew_and_a_seed_repeats_them():
    x = keras.ops.ones((64, 1))
    draws = lambda layer: [np.asarray(layer(x, training=True)) for _ in range(2)]

    one, again = draws(DropPath(0.5, seed=3)), draws(DropPath(0.5, seed=3))

    assert (one[0] != one[1]).any()
    np.testing.assert_array_equal(one, again)
