"""Decoding sequences: options, the loop, heads, samplers, beam search. Nothing here imports a model."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.decoding.beam_search": ["BeamSearchLoop"],
        "pix2seq_keras.decoding.counter_rng": ["hashed_uniform", "row_seeds"],
        "pix2seq_keras.decoding.loop": ["DecodingLoop"],
        "pix2seq_keras.decoding.options": ["DecodingOptions"],
        "pix2seq_keras.decoding.samplers": [],
    },
)
