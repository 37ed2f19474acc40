"""Tokens to vectors and back."""

import numpy as np
import pytest

from pix2seq_keras.layers import TokenEmbedding
from pix2seq_keras.layers.token_embedding import CoordinateInitializer


@pytest.fixture
def embedding():
    embedding = TokenEmbedding(vocabulary_size=11, dim=6, max_length=8)
    embedding.build()
    return embedding


def test_the_embedding_satisfies_the_layer_contract(check_layer):
    tokens = np.array([[1, 2, 3], [4, 0, 10]], "int32")

    assert check_layer(TokenEmbedding(11, 6, 8), tokens).shape == (2, 3, 6)


def test_a_vector_is_the_tokens_and_its_positions(embedding):
    tokens = np.array([[3, 3, 0]])

    vectors = embedding(tokens)

    expected = np.asarray(embedding.embeddings)[tokens[0]] + np.asarray(embedding.positions)[:3]
    np.testing.assert_allclose(vectors[0], expected, atol=1e-7)


def test_a_sequence_may_be_embedded_from_any_position(embedding):
    tokens = np.array([[5, 1, 7, 2]])
    whole = embedding(tokens)

    for position in range(4):
        part = embedding(tokens[:, position : position + 1], position=position)
        np.testing.assert_allclose(part, whole[:, position : position + 1], atol=1e-7)


def test_logits_use_the_same_matrix(embedding, numbers):
    embedding.output_bias.assign(np.arange(11))
    hidden = numbers(2, 3, 6)

    logits = embedding.logits(hidden)

    expected = hidden @ np.asarray(embedding.embeddings).T + np.arange(11)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert len(embedding.trainable_weights) == 3


def test_weights_start_small():
    embedding = TokenEmbedding(500, 40, 60)
    embedding.build()

    for weight in embedding.weights:
        values = np.asarray(weight)
        assert np.abs(values).max() < 0.05  # Keras cuts at 2σ of the parent normal, and widens σ a little for it
        assert abs(values.std() - 0.0176) < 0.004


def test_logits_are_float32_under_mixed_precision(numbers):
    embedding = TokenEmbedding(11, 6, 8, dtype="mixed_bfloat16")
    embedding.build()

    assert embedding.logits(numbers(2, 6)).dtype == "float32"


def test_scaled_embeddings_of_smooth_coordinates_satisfy_the_layer_contract(check_layer):
    tokens = np.array([[1, 2, 3], [4, 0, 10]], "int32")
    layer = TokenEmbedding(11, 6, 8, input_scale=6**0.5, embeddings_initializer=CoordinateInitializer(4, 7))

    output = check_layer(layer, tokens)

    plain = np.asarray(layer.embeddings)[tokens] + np.asarray(layer.positions)[:3]
    np.testing.assert_allclose(output, plain * 6**0.5, rtol=1e-5, atol=1e-6)


def test_neighbouring_coordinates_start_similar_and_other_tokens_at_random():
    table = np.asarray(CoordinateInitializer(coord_shift=10, num_bins=64)((80, 32)))

    bins = table[10:74] / np.linalg.norm(table[10:74], axis=1, keepdims=True)
    likeness = bins @ bins.T
    assert np.diag(likeness, 1).min() > 0.8
    assert likeness[0, 32:].max() < 0.6
    rest = np.delete(table, range(10, 74), 0)
    assert np.abs(rest).max() < 0.05 and abs(rest.std() - table[10:74].std()) < 0.006
