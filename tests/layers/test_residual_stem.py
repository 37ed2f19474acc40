"""The small convolutional backbone."""

import numpy as np
import pytest

from pix2seq_keras.layers import ResidualBlock, ResidualStem


def test_the_block_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(ResidualBlock(6, stride=2), numbers(2, 8, 8, 4)).shape == (2, 4, 4, 6)


def test_the_stem_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(ResidualStem((4, 8)), numbers(2, 16, 24, 3)).shape == (2, 4, 6, 8)


@pytest.mark.parametrize(("size", "expected"), [((32, 48), (4, 6)), ((33, 41), (5, 6))])
def test_the_stride_doubles_with_every_width_and_sizes_round_up(size, expected):
    stem, images = ResidualStem((4, 4, 4)), np.ones((1, *size, 3), "float32")

    assert stem(images).shape == (1, *expected, 4)
    assert stem.compute_output_shape(images.shape) == (1, *expected, 4)


def test_a_block_is_two_convolutions_around_a_shortcut(numbers):
    block, x = ResidualBlock(6, stride=2), numbers(2, 8, 8, 4)
    block.build(x.shape)
    block.norm_2.gamma.assign(np.linspace(0.5, 2, 6))

    output = block(x)

    inner = np.maximum(block.norm_1(block.conv_1(x)), 0)
    pooled = x.reshape(2, 4, 2, 4, 2, 4).mean((2, 4))  # the shortcut sees all pixels, not one in four
    short = np.asarray(block.shortcut_norm(block.shortcut(pooled)))
    np.testing.assert_allclose(output, np.maximum(block.norm_2(block.conv_2(inner)) + short, 0), atol=1e-5)
    assert not any(layer.use_bias for layer in (block.conv_1, block.conv_2, block.shortcut))


def test_batch_statistics_move_only_in_training(numbers):
    block, x = ResidualBlock(6), numbers(4, 8, 8, 4) + 3

    block(x)
    before = np.asarray(block.norm_1.moving_mean)
    block(x, training=False)
    np.testing.assert_array_equal(block.norm_1.moving_mean, before)
    block(x, training=True)

    assert np.abs(block.norm_1.moving_mean - before).max() > 0
