"""Objects to tokens and back: ordering, noise objects, token weights, parsing."""

from pix2seq_keras.sequences.building import (
    TOKENS_PER_OBJECT,
    SequenceOptions,
    append_noise,
    replaced_class_tokens,
    select_objects,
    serialize,
    token_weights,
    training_sequence,
)
from pix2seq_keras.sequences.noise import NOISE_CLASS, noise_boxes
from pix2seq_keras.sequences.ordering import ORDERS, order_objects
from pix2seq_keras.sequences.parsing import class_scores, parse, parse_labels
from pix2seq_keras.sequences.randomness import fold, shuffled

__all__ = [
    "NOISE_CLASS",
    "ORDERS",
    "TOKENS_PER_OBJECT",
    "SequenceOptions",
    "append_noise",
    "class_scores",
    "fold",
    "noise_boxes",
    "order_objects",
    "parse",
    "parse_labels",
    "replaced_class_tokens",
    "select_objects",
    "serialize",
    "shuffled",
    "token_weights",
    "training_sequence",
]
