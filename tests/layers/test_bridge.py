"""Between encoder and decoder."""

import numpy as np

from pix2seq_keras.layers import Bridge, sine_code_2d


def test_the_bridge_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(Bridge(8, 12, (2, 3)), numbers(2, 6, 10)).shape == (2, 6, 8)


def test_it_is_dense_norm_code_and_one_residual_mlp_without_a_norm_after_it(numbers):
    bridge, encoded = Bridge(8, 12, (2, 3)), numbers(2, 6, 10)

    output = np.asarray(bridge(encoded))

    x = encoded @ np.asarray(bridge.projection.kernel)
    norm = lambda x: (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
    x = norm(x) + sine_code_2d(2, 3, 8)
    expected = x + np.asarray(bridge.mlp(norm(x)))
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_stochastic_depth_leaves_the_projected_image(numbers):
    bridge, encoded = Bridge(8, 12, (2, 3), drop_path=0.5), numbers(64, 6, 10)
    full = np.asarray(bridge(encoded))

    trained = np.asarray(bridge(encoded, training=True))

    x = np.asarray(bridge.projection_norm(bridge.projection(encoded))) + sine_code_2d(2, 3, 8)
    dropped = np.isclose(trained, x, atol=1e-6).all((1, 2))
    assert 12 < dropped.sum() < 52
    np.testing.assert_allclose(trained[~dropped], (x + (full - x) * 2)[~dropped], atol=1e-4)
