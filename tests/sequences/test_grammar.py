"""The grammar: which tokens may come next."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2seq_keras import Vocabulary, samplers
from pix2seq_keras.decoding import DecodingLoop, DecodingOptions
from pix2seq_keras.sequences import parse
from pix2seq_keras.sequences.grammar import Grammar

VOCABULARY = Vocabulary.published(num_bins=10, coord_shift=120, size=140, class_ids=(3, 7))
FIRST_BIN, LAST_BIN = 120, 129


def allowed(place, earlier=0, stop_at_end=False):
    """The tokens that a row of equal logits keeps at a place."""
    grammar = Grammar(VOCABULARY, stop_at_end)
    if place == 4:
        tokens, masked = grammar.class_tokens, grammar.mask_classes(tf.zeros([1, len(grammar.class_tokens)]))
    else:
        tokens, equal = grammar.coordinate_tokens, tf.zeros([1, len(grammar.coordinate_tokens)])
        masked = grammar.mask_coordinates(equal, tf.constant(place), tf.constant([earlier]))
    return tokens[masked.numpy()[0] == 0].tolist()


def test_objects_are_four_coordinates_and_a_class():
    for place in range(4):
        assert allowed(place) == list(range(FIRST_BIN, LAST_BIN + 1))
    assert allowed(4) == [30, 103, 107]


def test_the_lower_corner_is_not_above_the_upper_one():
    assert allowed(2, earlier=124) == list(range(124, LAST_BIN + 1))
    assert allowed(3, earlier=LAST_BIN) == [LAST_BIN]
    assert allowed(0, earlier=124) == list(range(FIRST_BIN, LAST_BIN + 1))  # a new object is free again


def test_the_end_token_is_allowed_only_at_the_first_place_of_an_object():
    assert [0 in allowed(place, earlier=FIRST_BIN, stop_at_end=True) for place in range(5)] == [True] + 4 * [False]


def test_allowed_tokens_keep_their_logits_in_every_row():
    logits = tf.random.stateless_normal([2, 10], (0, 1))

    masked = Grammar(VOCABULARY, False).mask_coordinates(logits, tf.constant(2), tf.constant([121, 128])).numpy()

    for row, first in enumerate((1, 8)):
        np.testing.assert_array_equal(masked[row, first:], logits[row, first:])
        assert (masked[row, :first] < -1e8).all()


def test_probabilities_are_normalised_over_classes_noise_and_end():
    vocabulary = Vocabulary.published(num_bins=10, coord_shift=120, size=140, class_ids=(7, 3))  # not in order
    logits = np.random.default_rng(0).normal(size=(5, vocabulary.size)).astype("float32")
    grammar = Grammar(vocabulary, False)

    probabilities = grammar.class_probabilities(tf.constant(logits[:, grammar.class_tokens]))

    real = np.exp(logits[:, [107, 103]])
    total = real.sum(-1, keepdims=True) + np.exp(logits[:, [0, 30]]).sum(-1, keepdims=True)
    np.testing.assert_allclose(probabilities, real / total, rtol=1e-5)


@functools.cache
def noise_decoder(stop_at_end):
    """Decodes logits that are pure noise, without any structure: a graph from a seed to tokens int32 (4, 25)."""
    options = DecodingOptions(max_objects=5, sampler=samplers.TopP(1.0), stop_at_end=stop_at_end).complete(25)

    @tf.function(autograph=False)
    def decode(seed):
        def step(token, position, cache):
            return 3.0 * tf.random.stateless_normal([4, VOCABULARY.size], tf.stack([seed, position])), cache

        loop = DecodingLoop(step, VOCABULARY, options)
        return loop.result(loop.run(loop.start(tf.zeros(()), tf.range(4)), loop.length))["tokens"]

    return decode


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31 - 1), st.booleans())
def test_every_sequence_parses_to_well_formed_boxes(seed, stop_at_end):
    tokens = noise_decoder(stop_at_end)(tf.constant(seed))

    objects = tokens.numpy().reshape(4, 5, 5)
    boxes = parse(tokens, VOCABULARY)["boxes"].numpy()
    ended = (objects == 0).all(-1)
    assert ((objects[..., :4] >= FIRST_BIN) & (objects[..., :4] <= LAST_BIN))[~ended].all()
    assert np.isin(objects[..., 4][~ended], [30, 103, 107]).all()
    assert (boxes[..., :2] <= boxes[..., 2:]).all()
    assert stop_at_end or not ended.any()


@pytest.fixture(scope="module")
def random_model(build_tiny_model):
    return build_tiny_model(seed=1)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_models_decode_well_formed_boxes(random_model, build_tiny_model, tiny_images, seed):
    model = random_model  # one model and other weights: its graph is traced once
    model.set_weights(build_tiny_model(seed).get_weights())

    sequences = model.generate(tiny_images, sampler=samplers.TopP(0.9), seed=seed)

    objects = parse(sequences["tokens"], model.vocabulary, sequences["classes"], sequences["class_scores"])
    boxes, scores = objects["boxes"].numpy(), objects["scores"].numpy()
    assert objects["num_detections"].numpy().tolist() == [4] * 8
    assert (boxes[..., :2] <= boxes[..., 2:]).all()
    assert len(np.unique(boxes.reshape(-1, 4), axis=0)) > 8  # not one box for all
    assert ((scores > 0) & (scores < 1)).all()
    assert np.isin(sequences["tokens"].numpy()[:, 4::5], [2, 3, 4, 5]).all()
