"""The encoder's Transformer."""

import numpy as np

from pix2seq_keras.layers import EncoderBlock, TransformerEncoder


def test_the_block_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(EncoderBlock(8, 16, 2), numbers(2, 5, 8)).shape == (2, 5, 8)


def test_the_encoder_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(TransformerEncoder(2, 8, 16, 2), numbers(2, 5, 8)).shape == (2, 5, 8)


def test_a_block_is_two_pre_norm_residuals(numbers):
    block, x = EncoderBlock(8, 16, 2), numbers(2, 5, 8)

    output = block(x)

    normed = block.attention_norm(x)
    middle = x + block.attention(normed, normed)
    np.testing.assert_allclose(output, middle + block.mlp(block.mlp_norm(middle)), atol=1e-6)


def test_the_encoder_is_equivariant_to_permutations(numbers):
    encoder, x = TransformerEncoder(2, 8, 16, 2), numbers(1, 6, 8)

    np.testing.assert_allclose(encoder(x[:, ::-1])[:, ::-1], encoder(x), atol=1e-5)


def test_an_encoder_without_blocks_is_its_norm(numbers):
    encoder, x = TransformerEncoder(0, 8, 16, 2), numbers(2, 5, 8)

    output = np.asarray(encoder(x))

    np.testing.assert_allclose(output.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(output.std(-1), 1, atol=1e-3)


def test_stochastic_depth_is_in_both_residuals_and_only_in_training(numbers):
    encoder, x = TransformerEncoder(1, 8, 16, 2, drop_path=0.9), numbers(200, 5, 8)

    calm, wild = np.asarray(encoder(x)), np.asarray(encoder(x, training=True))

    np.testing.assert_array_equal(encoder(x, training=False), calm)
    untouched = np.isclose(wild, encoder.output_norm(x), atol=1e-5).all((1, 2)).mean()
    assert 0.7 < untouched < 0.9  # both are dropped in 0.81 of the samples
