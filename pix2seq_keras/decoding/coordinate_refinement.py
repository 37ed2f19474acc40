"""Coordinates finer than the bins: a local soft-argmax around the chosen bin."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.sequences.grammar import FORBIDDEN


class CoordinateRefinement:
    """The mean of the bins near the chosen one, weighted by their probabilities (a local soft-argmax).

    The peaks of the distribution over the bins correspond to objects; the shape of a peak locates the edge. Choosing a
    token picks a peak, but within it one of many bins that are nearly as likely. The mean over the peak uses all of
    them. The next decoding step is still given the chosen token.

    Args:
        vocabulary: `Vocabulary`.
        window: float ≥ 0, how far from the chosen bin bins are averaged, as a share of the canvas's side; 0 keeps the
            chosen bin. It should be smaller than the distance between two objects.

    Call arguments:
        logits: float32 tensor (B, n), −∞ or very negative where a token is forbidden.
        tokens: int32 array (n,), the tokens of the logits.
        token: int32 tensor (B,), the chosen tokens.

    Returns:
        float32 tensor (B,): the mean, in tokens; the token itself where it is not a coordinate.
    """

    def __init__(self, vocabulary, window):
        self.first, self.last = vocabulary.coord_shift, vocabulary.coord_shift + vocabulary.num_bins - 1
        self.radius = round(window * (vocabulary.num_bins - 1))  # in bins

    def __call__(self, logits, tokens, token):
        chosen = tf.cast(token, tf.float32)
        is_coordinate = (tokens >= self.first) & (tokens <= self.last)  # (n,)
        if not self.radius or not is_coordinate.any():
            return chosen
        near = (tf.abs(np.float32(tokens) - chosen[:, None]) <= self.radius) & is_coordinate  # (B, n)
        weights = tf.nn.softmax(tf.where(near, logits, FORBIDDEN))
        mean = tf.reduce_sum(weights * np.float32(tokens), -1)
        return tf.where((chosen >= self.first) & (chosen <= self.last), mean, chosen)
