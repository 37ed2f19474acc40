"""The token of a position: sampled, or given by a prompt."""

import numpy as np
import tensorflow as tf
from scipy.special import log_softmax

from pix2seq_keras import samplers
from pix2seq_keras.decoding import token_choice

TOKENS = np.array([0, 6, 7, 8], np.int32)
LOGITS = np.array([[0.0, 3.0, 1.0, 2.0], [1.0, 0.0, 0.5, 0.2]], np.float32)
BIASED = LOGITS + np.float32([9, 0, 0, 0])


def test_the_sampler_sees_the_biased_logits_and_log_probabilities_are_of_the_others():
    refine = lambda logits, tokens, token: tf.cast(token, tf.float32) + 0.25

    token, log_prob, refined = token_choice.sample(samplers.Greedy(), tf.zeros([2]), refine)(BIASED, LOGITS, TOKENS)

    assert token.numpy().tolist() == [0, 0]
    np.testing.assert_allclose(log_prob, log_softmax(LOGITS, -1)[:, 0], rtol=1e-5)
    assert refined.numpy().tolist() == [0.25, 0.25]


def test_the_tokens_of_a_prompt_are_taken_with_their_log_probabilities():
    token, log_prob, refined = token_choice.take(tf.constant([7, 8]))(BIASED, LOGITS, TOKENS)

    assert token.numpy().tolist() == [7, 8] and refined.numpy().tolist() == [7.0, 8.0]
    np.testing.assert_allclose(log_prob, log_softmax(LOGITS, -1)[[0, 1], [2, 3]], rtol=1e-5)
