"""Heads: the logits of a position, which tokens are allowed there, and the class scores of its object."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.sequences import TOKENS_PER_OBJECT, class_scores
from pix2seq_keras.sequences.grammar import Grammar
from pix2seq_keras.vocabulary import END_TOKEN

CLASS_PLACE = TOKENS_PER_OBJECT - 1


class ConstrainedHead:
    """Follows the grammar: computes the logits of the tokens allowed at a place, and no others.

    Args:
        vocabulary: `Vocabulary`.
        options: `DecodingOptions`, of which `stop_at_end` and `end_bias` count.
        projection: function (tokens int32 array (n,)) -> function hidden -> float32 logits (B, n) of these tokens.
    """

    def __init__(self, vocabulary, options, projection):
        self.num_classes = vocabulary.num_classes
        self.end_bias = options.end_bias
        self.grammar = Grammar(vocabulary, options.stop_at_end)
        self.coordinate_logits = projection(self.grammar.coordinate_tokens)
        self.class_logits = projection(self.grammar.class_tokens)

    def init_outputs(self, batch, max_objects):
        """The class outputs before the first step: dictionary of tensors (B, n, …)."""
        return {"class_probabilities": tf.zeros([batch, max_objects, self.num_classes])}

    def decode(self, hidden, place, earlier, choose, outputs, write):
        """Decodes one position.

        Args:
            hidden: what the projection takes, B rows.
            place: int or int32 scalar tensor, 0 … 4: the place of the position within its object.
            earlier: int32 tensor (B,), the token two positions earlier.
            choose: function (biased logits (B, n), logits (B, n), tokens int32 array (n,)) -> tensors whose shapes and
                types do not depend on n, see `token_choice`.
            outputs: of `init_outputs` or the step before.
            write: function (tensor (B, n, …), new (B, …)) -> tensor, which writes the entry of the current object.

        Returns:
            What `choose` returned, and `outputs`, updated at class places.
        """

        def coordinate():
            raw, tokens = self.coordinate_logits(hidden), self.grammar.coordinate_tokens
            allowed = lambda logits: self.grammar.mask_coordinates(logits, place, earlier)
            return choose(allowed(_with_end_bias(raw, tokens, self.end_bias)), allowed(raw), tokens), outputs

        def class_():
            raw = self.class_logits(hidden)
            logits = self.grammar.mask_classes(raw)
            chosen = choose(logits, logits, self.grammar.class_tokens)
            probabilities = self.grammar.class_probabilities(raw)
            return chosen, {"class_probabilities": write(outputs["class_probabilities"], probabilities)}

        if isinstance(place, int):
            return class_() if place == CLASS_PLACE else coordinate()
        return tf.cond(place == CLASS_PLACE, class_, coordinate)

    def finish(self, outputs):
        """Adds the best class of each object and its probability."""
        probabilities = outputs["class_probabilities"]
        best = {"classes": tf.argmax(probabilities, -1, tf.int32), "class_scores": tf.reduce_max(probabilities, -1)}
        return {**outputs, **best}


class FullVocabularyHead:
    """Allows any token of the vocabulary at any place, as published; see `ConstrainedHead`."""

    def __init__(self, vocabulary, options, projection):
        self.vocabulary = vocabulary
        self.end_bias = options.end_bias
        self.tokens = np.arange(vocabulary.size, dtype=np.int32)
        self.logits = projection(self.tokens)

    def init_outputs(self, batch, max_objects):
        return {
            "classes": tf.zeros([batch, max_objects], tf.int32),
            "class_scores": tf.zeros([batch, max_objects]),
        }

    def decode(self, hidden, place, earlier, choose, outputs, write):
        logits = self.logits(hidden)
        chosen = choose(_with_end_bias(logits, self.tokens, self.end_bias), logits, self.tokens)

        def scored():
            classes, scores = class_scores(logits, self.vocabulary)
            return {
                "classes": write(outputs["classes"], classes),
                "class_scores": write(outputs["class_scores"], scores),
            }

        if isinstance(place, int):
            return chosen, scored() if place == CLASS_PLACE else outputs
        return chosen, tf.cond(place == CLASS_PLACE, scored, lambda: outputs)

    def finish(self, outputs):
        return outputs


def _with_end_bias(logits, tokens, end_bias):
    """The end token's logit is biased when tokens are chosen, not when they are scored."""
    if not end_bias or tokens[0] != END_TOKEN:
        return logits
    return logits + tf.constant(np.where(tokens == END_TOKEN, end_bias, 0.0), tf.float32)
