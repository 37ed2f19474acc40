"""Which tokens may come next: every sequence parses to well-formed boxes."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN

FORBIDDEN = -1e9


class Grammar:
    """Masks logits position by position.

    At coordinate positions only coordinates, ymax ≥ ymin and xmax ≥ xmin; at class positions only classes and noise;
    the end token only where an object would begin, and only if it may end.

    Args:
        vocabulary: `Vocabulary`.
        stop_at_end: bool, whether the end token may be read out.
    """

    def __init__(self, vocabulary, stop_at_end):
        self.vocabulary = vocabulary
        allowed = np.zeros((TOKENS_PER_OBJECT, vocabulary.size), bool)
        allowed[:4, vocabulary.coord_shift : vocabulary.coord_shift + vocabulary.num_bins] = True
        allowed[4, list(vocabulary.class_tokens) + [vocabulary.noise_token]] = True
        allowed[0, END_TOKEN] = stop_at_end
        self.allowed = tf.constant(allowed)  # (5, V)

    def mask(self, logits, position, earlier):
        """Forbids what may not come next.

        Args:
            logits: float32 tensor (B, V).
            position: int32 scalar tensor.
            earlier: int32 tensor (B,), the token two positions earlier: ymin where ymax is read, xmin where xmax is.

        Returns:
            float32 tensor (B, V).
        """
        place = position % TOKENS_PER_OBJECT
        allowed = self.allowed[place][None, :]
        floor = tf.where((place == 2) | (place == 3), earlier, 0)
        allowed = allowed & (tf.range(self.vocabulary.size)[None, :] >= floor[:, None])
        return tf.where(allowed, logits, FORBIDDEN)
