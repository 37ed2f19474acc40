"""Multi-head attention."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.layers import Attention


def keras_twin(attention, queries, memory):
    """Keras's own layer with the same weights, all of them random."""
    dim, heads = attention.dim, attention.num_heads
    twin = keras.layers.MultiHeadAttention(heads, dim // heads)
    twin(queries, memory)
    rng = np.random.default_rng(3)
    for weight in attention.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.5)
    for own, its in (
        (attention.query, twin.query_dense),
        (attention.key, twin.key_dense),
        (attention.value, twin.value_dense),
        (attention.output_dense, twin.output_dense),
    ):
        its.kernel.assign(np.reshape(own.kernel, its.kernel.shape))
        its.bias.assign(np.reshape(own.bias, its.bias.shape))
    return twin


def test_attention_satisfies_the_layer_contract(check_layer, numbers):
    assert check_layer(Attention(16, 4), numbers(2, 5, 16), numbers(2, 7, 12)).shape == (2, 5, 16)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_equals_that_of_keras(numbers, causal):
    queries = numbers(2, 6, 16)
    memory = queries if causal else numbers(2, 9, 12)
    attention = Attention(16, 4)
    attention(queries, memory)
    twin = keras_twin(attention, queries, memory)

    output, weights = attention(queries, memory, causal=causal, return_weights=True)

    expected, expected_weights = twin(queries, memory, use_causal_mask=causal, return_attention_scores=True)
    np.testing.assert_allclose(output, expected, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)


def test_causal_attention_gives_no_weight_to_later_positions(numbers):
    attention, x = Attention(8, 2), numbers(1, 5, 8)

    _, weights = attention(x, x, causal=True, return_weights=True)

    weights = np.asarray(weights)
    assert (weights[:, :, np.triu_indices(5, 1)[0], np.triu_indices(5, 1)[1]] == 0).all()
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


def test_projected_keys_and_values_can_be_used_again(numbers):
    attention, queries, memory = Attention(8, 2), numbers(2, 3, 8), numbers(2, 4, 8)
    whole = attention(queries, memory)

    keys, values = attention.project_memory(memory)

    for position in range(3):
        part, _ = attention.compute_attention(queries[:, position : position + 1], keys, values)
        np.testing.assert_allclose(part, whole[:, position : position + 1], atol=1e-6)


def test_its_projections_start_from_different_numbers():
    attention = Attention(8, 2)
    attention.build((None, None, 8), (None, None, 8))

    dense = attention.query, attention.key, attention.value, attention.output_dense
    kernels = {np.asarray(layer.kernel).tobytes() for layer in dense}

    assert len(kernels) == 4


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(InputError, match="num_heads=3, dim=16"):
        Attention(16, 3)
