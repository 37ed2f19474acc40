"""From objects to tokens and back: ordering, noise objects, token weights, parsing."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.sequences.building": [
            "append_noise",
            "replaced_class_tokens",
            "select_objects",
            "serialize",
            "token_weights",
            "training_sequence",
        ],
        "pix2seq_keras.sequences.noise": ["NOISE_CLASS", "noise_boxes"],
        "pix2seq_keras.sequences.options": ["ORDERS", "SequenceOptions", "TOKENS_PER_OBJECT"],
        "pix2seq_keras.sequences.ordering": ["order_objects"],
        "pix2seq_keras.sequences.parsing": ["class_scores", "parse", "parse_labels"],
        "pix2seq_keras.sequences.randomness": ["fold", "shuffled"],
    },
)
