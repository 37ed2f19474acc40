"""The published model's ResNet; its numbers are checked against the reference in tests/published/test_golden.py."""

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.layers import Bottleneck, ResNet

NARROW = 1 / 16


@pytest.mark.parametrize("stride, dilation, project", [(1, 1, True), (2, 1, True), (1, 2, False)])
def test_a_bottleneck_satisfies_the_layer_contract(check_layer, numbers, stride, dilation, project):
    # Norms of the fresh branch have gamma 0; the harness moves them, and rounding then shows.
    output = check_layer(Bottleneck(4, stride, dilation, project), numbers(2, 7, 6, 16), tolerance=0.2)

    assert output.shape == (2, -(-7 // stride), -(-6 // stride), 16)


def test_a_fresh_block_is_its_shortcut(numbers):
    block, x = Bottleneck(4), numbers(1, 5, 5, 16)

    np.testing.assert_allclose(block(x), np.maximum(x, 0))


@pytest.mark.parametrize("variant, stride, channels", [("standard", 32, 128), ("c4", 16, 64), ("dc5", 16, 128)])
def test_the_grid_is_the_canvas_over_the_stride_rounded_up(variant, stride, channels):
    resnet, images = ResNet(50, variant, NARROW), np.zeros((1, 65, 97, 3), "float32")

    output = resnet(images)

    assert (
        output.shape == resnet.compute_output_shape(images.shape) == (1, -(-65 // stride), -(-97 // stride), channels)
    )


def test_a_resnet_satisfies_the_layer_contract(check_layer, numbers):
    # Rounding errors of bfloat16 add up over fifty layers, so the tolerance is large.
    check_layer(ResNet(50, "c4", NARROW), numbers(1, 33, 48, 3), tolerance=1.0)


def test_depth_101_has_its_blocks():
    resnet = ResNet(101, "standard", NARROW)

    assert [len(group) for group in resnet.groups] == [3, 4, 23, 3]


def test_dc5_dilates_the_last_group_instead_of_striding():
    group = ResNet(50, "dc5", NARROW).groups[3]

    strides = [block.config["stride"] for block in group]
    dilations = [block.config["dilation"] for block in group]
    assert (strides, dilations) == ([1, 1, 1], [1, 2, 2])


def test_dc5_equals_the_standard_network_at_every_second_position():
    """With the same weights, the first block of dc5 has the same values there: its kernels cover the same pixels."""
    standard, dilated = Bottleneck(4, stride=2, project=True), Bottleneck(4, stride=1, project=True)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 16)).astype("float32")
    standard(x), dilated(x)
    values = [np.random.default_rng(index).normal(size=w.shape) ** 2 for index, w in enumerate(standard.weights)]
    standard.set_weights(values)
    dilated.set_weights(values)

    np.testing.assert_allclose(standard(x), dilated(x)[:, ::2, ::2], rtol=1e-4, atol=1e-4)


def test_strided_convolutions_are_padded_alike_on_both_sides():
    """At the first position a 3×3/2 kernel covers a row of zeros; TensorFlow's SAME would not pad there."""
    block = Bottleneck(1, stride=2, project=True)
    x = np.ones((1, 4, 4, 4), "float32")
    block(x)
    block.conv_1.kernel.assign(np.ones(block.conv_1.kernel.shape) / 4)
    kernel = np.zeros(block.conv_2.kernel.shape)
    kernel[0] = 1  # the upper row of the kernel sees the padding at the first place only
    block.conv_2.kernel.assign(kernel)

    inner = block.conv_2(block.pad(block.conv_1(x)))

    assert np.asarray(inner)[0, 0].max() == 0 and np.asarray(inner)[0, 1].min() > 0


def test_batch_norm_learns_statistics_in_training(numbers):
    resnet, images = ResNet(50, "c4", NARROW), numbers(2, 32, 32, 3)
    resnet(images)
    before = np.asarray(resnet.norm.moving_variance)

    resnet(images, training=True)

    assert np.abs(np.asarray(resnet.norm.moving_variance) - before).max() > 0
    assert (resnet.norm.momentum, resnet.norm.epsilon) == (0.9, 1e-5)


def test_the_weights_of_full_size_are_those_of_the_layer_arithmetic():
    resnet = ResNet(50)
    resnet.build((None, 64, 64, 3))

    # The classic ResNet-50 has 25,557,032 trainable weights, 2,049,000 of them in its classifier.
    assert sum(int(np.prod(weight.shape)) for weight in resnet.trainable_weights) == 25_557_032 - 2_049_000


@pytest.mark.parametrize("options", [{"depth": 34}, {"variant": "c5"}, {"width_multiplier": 0.01}])
def test_unknown_depths_variants_and_multipliers_are_refused(options):
    with pytest.raises(InputError, match="Received: "):
        ResNet(**options)
