"""Which tokens are allowed next, so that every sequence parses to well-formed boxes."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.vocabulary import END_TOKEN

FORBIDDEN = -1e9


class Grammar:
    """The tokens of each place in an object, and which of them are allowed after the tokens before them.

    At coordinate places, only coordinates are allowed, with ymax ≥ ymin and xmax ≥ xmin; at class places, only classes
    and noise. The end token is allowed only in place of an object's first token, and only with `stop_at_end`. Logits
    are needed only for the tokens listed here.

    Args:
        vocabulary: `Vocabulary`.
        stop_at_end: bool, whether the end token can be decoded.
    """

    def __init__(self, vocabulary, stop_at_end):
        bins = range(vocabulary.coord_shift, vocabulary.coord_shift + vocabulary.num_bins)
        self.coordinate_tokens = np.array([END_TOKEN, *bins] if stop_at_end else bins, np.int32)
        # The end token is listed because scores are normalised over it too.
        named = sorted([vocabulary.noise_token, *vocabulary.class_tokens])
        self.class_tokens = np.array([END_TOKEN, *named], np.int32)
        self._place_of_class = np.searchsorted(self.class_tokens, vocabulary.class_tokens).astype(np.int32)

    def mask_coordinates(self, logits, place, earlier):
        """Sets the logits of forbidden tokens at a coordinate place to `FORBIDDEN`.

        Args:
            logits: float32 tensor (B, n) of `coordinate_tokens`.
            place: int32 scalar tensor, 0 … 3 for ymin, xmin, ymax, xmax.
            earlier: int32 tensor (B,), the token two positions earlier: ymin for ymax, xmin for xmax.

        Returns:
            float32 tensor (B, n).
        """
        tokens = tf.constant(self.coordinate_tokens)
        floor = tf.where(tf.convert_to_tensor(place) >= 2, earlier, 0)
        allowed = tokens[None, :] >= floor[:, None]  # (B, n)
        if self.coordinate_tokens[0] == END_TOKEN:
            allowed &= ((tokens != END_TOKEN) | tf.equal(place, 0))[None, :]
        return tf.where(allowed, logits, FORBIDDEN)

    def mask_classes(self, logits):
        """Forbids the end token: float32 (B, m) of `class_tokens` -> (B, m)."""
        return tf.where(tf.constant(self.class_tokens != END_TOKEN), logits, FORBIDDEN)

    def class_probabilities(self, logits):
        """The probability of each class among classes, noise and end.

        Args:
            logits: float32 tensor (B, m) of `class_tokens`.

        Returns:
            float32 tensor (B, K), K the number of classes.
        """
        return tf.gather(tf.nn.softmax(logits), tf.constant(self._place_of_class), axis=-1)
