"""The decoder's Transformer, for whole sequences and position by position."""

import keras
import numpy as np
import pytest

from pix2seq_keras.layers import DecoderBlock, TransformerDecoder


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(1)
    decoder = TransformerDecoder(2, dim=16, mlp_dim=24, num_heads=4)
    decoder.build((None, None, 16), (None, None, 16))
    return decoder


def test_the_block_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(DecoderBlock(8, 16, 2), numbers(2, 5, 8), numbers(2, 7, 8)).shape == (2, 5, 8)


def test_the_decoder_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(TransformerDecoder(2, 8, 16, 2), numbers(2, 5, 8), numbers(2, 7, 8)).shape == (2, 5, 8)


@pytest.mark.parametrize("cache_write", ["slice_update", "scatter", "in_place", "tflite"])
def test_cached_steps_equal_the_uncached_decoder_at_every_position(decoder, numbers, cache_write):
    x, encoded = numbers(3, 7, 16), numbers(3, 9, 16)
    whole = np.asarray(decoder(x, encoded))

    cache = decoder.init_cache(encoded, 10, cache_write)  # more room than is used
    for position in range(7):
        hidden, cache = decoder.step(x[:, position : position + 1], position, cache, cache_write)
        np.testing.assert_allclose(hidden[:, 0], whole[:, position], atol=1e-5)

    assert cache[0]["keys"].shape == (3, 4, 10, 4)
    assert not np.asarray(cache[1]["values"])[:, :, 7:].any()


def test_the_cache_holds_the_projected_image_once(decoder, numbers):
    encoded = numbers(3, 9, 16)
    cache = decoder.init_cache(encoded, 4)

    _, later = decoder.step(numbers(3, 1, 16), 0, cache)

    assert len(cache) == 2
    assert cache[0]["cross_keys"].shape == (3, 4, 9, 4)
    np.testing.assert_array_equal(later[1]["cross_values"], cache[1]["cross_values"])


def test_a_position_depends_on_what_is_before_it_and_on_the_image(decoder, numbers):
    x, encoded = numbers(1, 6, 16), numbers(1, 9, 16)
    changed = x.copy()
    changed[:, 3, 0] += 1

    difference = np.abs(decoder(changed, encoded) - decoder(x, encoded)).max((0, 2))

    assert (difference[:3] < 1e-6).all() and (difference[3:] > 1e-3).all()
    assert np.abs(decoder(x, encoded + 1) - decoder(x, encoded)).max((0, 2)).min() > 1e-4


def test_cross_attention_adds_up_to_one(decoder, numbers):
    x, encoded = numbers(2, 5, 16), numbers(2, 9, 16)

    weights = np.asarray(decoder.cross_attention(x, encoded))

    assert weights.shape == (2, 2, 4, 5, 9)  # (B, layers, heads, L, N)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(weights[:, 0], decoder.blocks[0](x, encoded, return_weights=True)[1], atol=1e-6)


def test_cross_attention_norms_the_queries_only(numbers):
    block, x, encoded = DecoderBlock(8, 16, 2), numbers(2, 5, 8), 3 * numbers(2, 7, 8) + 1

    output = block(x, encoded)

    normed = block.self_norm(x)
    y = x + block.self_attention(normed, normed, causal=True)
    y = y + block.cross_attention(block.cross_norm(y), encoded)
    np.testing.assert_allclose(output, y + block.mlp(block.mlp_norm(y)), atol=1e-5)


def test_prefilling_a_prompt_equals_its_steps(decoder, numbers):
    x, encoded = numbers(2, 6, 16), numbers(2, 9, 16)
    whole = np.asarray(decoder(x, encoded))

    hidden, cache = decoder.prefill(x[:, :4], decoder.init_cache(encoded, max_length=8))

    np.testing.assert_allclose(hidden, whole[:, :4], atol=1e-5)
    assert cache[0]["keys"].shape == (2, 4, 8, 4)
    for position in (4, 5):
        hidden, cache = decoder.step(x[:, position : position + 1], position, cache)
        np.testing.assert_allclose(hidden[:, 0], whole[:, position], atol=1e-5)


def test_a_cache_may_grow_between_steps(decoder, numbers):
    x, encoded = numbers(2, 4, 16), numbers(2, 9, 16)
    whole = np.asarray(decoder(x, encoded))

    cache = decoder.init_cache(encoded, max_length=2)
    for position in range(4):
        if position == 2:
            cache = decoder.grow_cache(cache, 7)
        hidden, cache = decoder.step(x[:, position : position + 1], position, cache)
        np.testing.assert_allclose(hidden[:, 0], whole[:, position], atol=1e-5)

    assert cache[1]["values"].shape == (2, 4, 7, 4)


def test_reordered_rows_of_the_cache_continue_the_same_sequences(decoder, numbers):
    x, encoded = numbers(2, 3, 16), np.repeat(numbers(1, 9, 16), 2, 0)  # two candidates of one image
    _, cache = decoder.prefill(x[:, :2], decoder.init_cache(encoded, 4))
    plain, _ = decoder.step(x[:, 2:], 2, cache)

    swapped, _ = decoder.step(x[::-1, 2:], 2, decoder.reorder_cache(cache, np.array([1, 0])))

    np.testing.assert_allclose(swapped, np.asarray(plain)[::-1], atol=1e-6)
    assert np.abs(np.asarray(plain)[0] - np.asarray(plain)[1]).max() > 1e-3


@pytest.mark.parametrize("cache_write", ["slice_update", "scatter"])
def test_the_other_softmax_of_large_grids_gives_the_same_result(decoder, numbers, cache_write):
    x, encoded = numbers(1, 1, 16), numbers(1, 2100, 16)  # 4 heads · 2100 ≥ graph_kernels.LARGE_SOFTMAX

    hidden, _ = decoder.step(x, 0, decoder.init_cache(encoded, 2), cache_write)

    np.testing.assert_allclose(hidden, decoder(x, encoded), atol=1e-5)
