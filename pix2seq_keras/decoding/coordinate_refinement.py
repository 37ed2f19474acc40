"""Coordinates between the bins: the mean of the bins around the one that was chosen."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.sequences.grammar import FORBIDDEN


class CoordinateRefinement:
    """What the model expects of a coordinate, given that it lies near the token that was chosen.

    The distribution over the bins says which object is read, by its peaks, and where exactly its edge is, by the shape
    of a peak. Choosing a token settles the first and leaves the second to chance or, greedily, to the highest of many
    bins that are nearly as likely. The mean over the bins around the token uses what the others know of the edge; it
    is the token's bin where the model is sure. What is fed back remains the token.

    Args:
        vocabulary: `Vocabulary`.
        window: float ≥ 0, how far from the token bins are averaged, as a share of the canvas's side; 0 leaves the
            token as it is. It should be narrower than what lies between two objects.

    Call arguments:
        logits: float32 tensor (B, n), −∞ or very negative where a token is forbidden.
        tokens: int32 array (n,), whose logits these are.
        token: int32 tensor (B,), the chosen ones.

    Returns:
        float32 tensor (B,): the mean of tokens, as a token; of what is no coordinate, the token itself.
    """

    def __init__(self, vocabulary, window):
        self.first, self.last = vocabulary.coord_shift, vocabulary.coord_shift + vocabulary.num_bins - 1
        self.reach = round(window * (vocabulary.num_bins - 1))  # in bins

    def __call__(self, logits, tokens, token):
        chosen = tf.cast(token, tf.float32)
        is_coordinate = (tokens >= self.first) & (tokens <= self.last)  # (n,)
        if not self.reach or not is_coordinate.any():
            return chosen
        near = (tf.abs(np.float32(tokens) - chosen[:, None]) <= self.reach) & is_coordinate  # (B, n)
        weights = tf.nn.softmax(tf.where(near, logits, FORBIDDEN))
        mean = tf.reduce_sum(weights * np.float32(tokens), -1)
        return tf.where((chosen >= self.first) & (chosen <= self.last), mean, chosen)
