"""A decoder that is made to end early."""

import dataclasses

import tensorflow as tf

from pix2seq_keras.decoding import DecodingLoop
from pix2seq_keras.models.generation import cache_lengths, cache_write
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN


def make_ending_decoder(model, options, after, jit_compile):
    """Ours, with logits that force the end token after some objects.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        after: int, objects.
        jit_compile: bool.

    Returns:
        `tf.function`: encoded (B, N, D), seeds int32 (B,) -> tokens int32 (B, 5·max_objects).
    """
    writing = cache_write(jit_compile)

    @tf.function(autograph=False, jit_compile=jit_compile)
    def decode(encoded, seeds):
        weights = model.decoder.prepare()

        def step(token, position, cache):
            x = model.embedding(token[:, None], position=position)
            hidden, cache = model.decoder.step(x, position, cache, writing, weights)
            return (hidden[:, 0], position), cache

        def head(tokens):
            logits, ends = model.embedding.head(tokens), tf.constant(tokens == END_TOKEN)
            return lambda read: (
                logits(read[0]) + tf.where(ends, tf.where(read[1] >= TOKENS_PER_OBJECT * after, 1e9, -1e9), 0.0)
            )

        ending = dataclasses.replace(options, stop_at_end=True)
        loop, lengths = DecodingLoop(step, model.vocabulary, ending, head), cache_lengths(options, jit_compile)
        state = loop.start(model.decoder.init_cache(encoded, lengths[0], writing), seeds)
        return loop.result(loop.run_in_stages(state, lengths, model.decoder.grow_cache))["tokens"]

    return decode
