"""Readers: which tokens a place may have, which of them is chosen, and what its class step tells."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.sequences import TOKENS_PER_OBJECT, class_scores
from pix2seq_keras.sequences.grammar import Grammar
from pix2seq_keras.vocabulary import END_TOKEN

CLASS_PLACE = TOKENS_PER_OBJECT - 1


class ConstrainedHead:
    """Reads by the grammar, from the logits of the tokens that a place may have and of no others.

    Args:
        vocabulary: `Vocabulary`.
        stop_at_end: bool, whether the end token may be read.
        end_bias: float, added to the end token's logit when tokens are chosen (not when they are scored).
        head: function (tokens int32 array (n,)) -> function hidden -> float32 logits (B, n) of these tokens.
    """

    def __init__(self, vocabulary, stop_at_end, end_bias, head):
        self.num_classes = vocabulary.num_classes
        self.end_bias = end_bias
        self.grammar = Grammar(vocabulary, stop_at_end)
        self.coordinate_head, self.class_head = head(self.grammar.coordinate_tokens), head(self.grammar.class_tokens)

    def empty(self, batch, max_objects):
        """What is found of each object, before anything is read: dictionary of tensors (B, n, …)."""
        return {"class_probabilities": tf.zeros([batch, max_objects, self.num_classes])}

    def read(self, hidden, place, earlier, choose, found, write):
        """Reads one position.

        Args:
            hidden: what the head takes, of B rows.
            place: int or int32 scalar tensor, 0 … 4: the position's place in its object.
            earlier: int32 tensor (B,), the token two positions earlier.
            choose: function (biased logits (B, n), logits (B, n), tokens int32 array (n,)) -> tensors of like shape and
                type whatever n is.
            found: of `empty` or the read before.
            write: function (tensor (B, n, …), new (B, …)) -> tensor, which writes the object that is being read.

        Returns:
            What `choose` gave, and `found`, written to at class places.
        """

        def coordinate():
            raw, tokens = self.coordinate_head(hidden), self.grammar.coordinate_tokens
            allowed = lambda logits: self.grammar.mask_coordinates(logits, place, earlier)
            return choose(allowed(_with_end_bias(raw, tokens, self.end_bias)), allowed(raw), tokens), found

        def class_():
            raw = self.class_head(hidden)
            logits = self.grammar.mask_classes(raw)
            chosen = choose(logits, logits, self.grammar.class_tokens)
            probabilities = self.grammar.class_probabilities(raw)
            return chosen, {"class_probabilities": write(found["class_probabilities"], probabilities)}

        if isinstance(place, int):
            return class_() if place == CLASS_PLACE else coordinate()
        return tf.cond(place == CLASS_PLACE, class_, coordinate)

    def finish(self, found):
        """Adds the best class of each object and its probability."""
        probabilities = found["class_probabilities"]
        best = {"classes": tf.argmax(probabilities, -1, tf.int32), "class_scores": tf.reduce_max(probabilities, -1)}
        return {**found, **best}


class FullVocabularyHead:
    """Reads any token of the vocabulary at any place, as published; see `ConstrainedHead`."""

    def __init__(self, vocabulary, end_bias, head):
        self.vocabulary = vocabulary
        self.end_bias = end_bias
        self.tokens = np.arange(vocabulary.size, dtype=np.int32)
        self.head = head(self.tokens)

    def empty(self, batch, max_objects):
        return {
            "classes": tf.zeros([batch, max_objects], tf.int32),
            "class_scores": tf.zeros([batch, max_objects]),
        }

    def read(self, hidden, place, earlier, choose, found, write):
        logits = self.head(hidden)
        chosen = choose(_with_end_bias(logits, self.tokens, self.end_bias), logits, self.tokens)

        def scored():
            classes, scores = class_scores(logits, self.vocabulary)
            return {
                "classes": write(found["classes"], classes),
                "class_scores": write(found["class_scores"], scores),
            }

        if isinstance(place, int):
            return chosen, scored() if place == CLASS_PLACE else found
        return chosen, tf.cond(place == CLASS_PLACE, scored, lambda: found)

    def finish(self, found):
        return found


def _with_end_bias(logits, tokens, end_bias):
    if not end_bias or tokens[0] != END_TOKEN:
        return logits
    return logits + tf.constant(np.where(tokens == END_TOKEN, end_bias, 0.0), tf.float32)
