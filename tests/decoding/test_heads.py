"""Heads: which tokens a position chooses from, and what it writes to the class outputs."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import DecodingOptions, Vocabulary
from pix2seq_keras.decoding.heads import ConstrainedHead, FullVocabularyHead
from pix2seq_keras.decoding.loop import writer

VOCABULARY = Vocabulary(num_classes=3, num_bins=4)  # classes 3 4 5, coordinates 6 … 9
LOGITS = np.random.default_rng(0).normal(size=(2, VOCABULARY.size)).astype("float32")
HEADS = {True: ConstrainedHead, False: FullVocabularyHead}


def decode(constrained, place, end_bias=0.0):
    """The tokens to choose from, their biased and unbiased logits, and the class outputs of object 1 of 2."""
    options = DecodingOptions(constrained=constrained, stop_at_end=True, end_bias=end_bias)
    head = HEADS[constrained](VOCABULARY, options, lambda tokens: lambda hidden: tf.gather(hidden, tokens, axis=-1))
    choices = []

    def choose(biased, logits, tokens):
        choices.append((tokens.tolist(), biased.numpy(), logits.numpy()))
        return tf.zeros([2])

    earlier, write = tf.constant([6, 8]), writer(1, [True, True])
    _, outputs = head.decode(tf.constant(LOGITS), place, earlier, choose, head.init_outputs(2, 2), write)
    (choice,) = choices
    return *choice, {name: values.numpy() for name, values in head.finish(outputs).items()}


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_place_known_when_tracing_gives_what_a_tensor_gives(constrained, place):
    for one, other in zip(decode(constrained, place), decode(constrained, tf.constant(place)), strict=True):
        np.testing.assert_equal(one, other)


def test_the_constrained_head_offers_coordinates_or_classes():
    tokens, _, logits, _ = decode(True, place=2)
    assert tokens == [0, 6, 7, 8, 9]
    assert (logits < -1e8).tolist() == [[True, False, False, False, False], [True, True, True, False, False]]

    tokens, _, logits, _ = decode(True, place=4)
    assert tokens == [0, 2, 3, 4, 5]
    assert (logits < -1e8).tolist() == [[True, False, False, False, False]] * 2


@pytest.mark.parametrize("place", range(5))
def test_the_full_vocabulary_head_offers_every_token_everywhere(place):
    tokens, biased, logits, _ = decode(False, place)

    assert tokens == list(range(VOCABULARY.size))
    np.testing.assert_array_equal(biased, LOGITS)
    np.testing.assert_array_equal(logits, LOGITS)


@pytest.mark.parametrize("constrained", [True, False])
def test_the_bias_is_added_to_the_end_token_only_where_tokens_are_chosen(constrained):
    _, biased, logits, _ = decode(constrained, place=0, end_bias=-1.5)

    np.testing.assert_allclose(biased - logits, np.where(np.arange(biased.shape[-1]) == 0, -1.5, 0)[None].repeat(2, 0))


@pytest.mark.parametrize("constrained", [True, False])
def test_class_places_write_the_scores_of_their_object_and_other_places_nothing(constrained):
    *_, outputs = decode(constrained, place=4)
    *_, unchanged = decode(constrained, place=3)

    counted = LOGITS[:, [0, 2, 3, 4, 5]] if constrained else LOGITS
    probabilities = np.exp(LOGITS[:, 3:6]) / np.exp(counted).sum(-1, keepdims=True)
    np.testing.assert_array_equal(outputs["classes"][:, 1], probabilities.argmax(-1))
    np.testing.assert_allclose(outputs["class_scores"][:, 1], probabilities.max(-1), rtol=1e-5)
    assert not outputs["class_scores"][:, 0].any() and not unchanged["class_scores"].any()
    if constrained:
        np.testing.assert_allclose(outputs["class_probabilities"][:, 1], probabilities, rtol=1e-5)
