"""The published model's ViT; its numbers are checked against the reference in tests/published/test_golden.py."""

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.layers import VisionTransformer, sine_code_2d

SIZES = {"num_layers": 1, "dim": 8, "mlp_dim": 16, "num_heads": 2}


def test_a_vit_satisfies_the_layer_contract(check_layer, numbers):
    output = check_layer(VisionTransformer(8, **SIZES), numbers(2, 16, 24, 3), tolerance=0.2)

    assert output.shape == (2, 6, 8)


def test_patches_are_flattened_row_by_row_with_their_position_codes(numbers):
    encoder, images = VisionTransformer(8, **{**SIZES, "num_layers": 0}), numbers(1, 16, 24, 3)

    output = encoder(images)

    kernel, bias = (np.asarray(weight) for weight in encoder.patches.weights)
    patches = [images[0, y : y + 8, x : x + 8] for y in (0, 8) for x in (0, 8, 16)]
    vectors = np.stack([np.einsum("yxc,yxcd->d", patch, kernel) + bias for patch in patches])
    x = np.asarray(encoder.patches_norm(vectors)) + sine_code_2d(2, 3, 8)
    np.testing.assert_allclose(output[0], encoder.transformer.output_norm(x), atol=1e-4)
    assert encoder.grid == (2, 3)


def test_pixels_at_the_edges_that_fill_no_patch_have_no_effect(numbers):
    encoder, images = VisionTransformer(8, **SIZES), numbers(1, 21, 31, 3)
    expected = encoder(images)

    changed = images.copy()
    changed[:, 16:], changed[:, :, 24:] = 9, 9

    np.testing.assert_array_equal(encoder(changed), expected)
    assert encoder.grid == (2, 3)


def test_a_canvas_below_one_patch_is_refused():
    with pytest.raises(InputError, match=r"at least one patch of 16×16 pixels.*images of 15×64"):
        VisionTransformer(16, **SIZES).build((None, 15, 64, 3))
