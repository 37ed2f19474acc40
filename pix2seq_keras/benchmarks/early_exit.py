"""A decoder whose sequences end early, to measure what early ends save."""

import dataclasses

import tensorflow as tf

from pix2seq_keras.decoding import DecodingLoop
from pix2seq_keras.models.generation import cache_lengths, cache_write
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN


def make_early_exit_decoder(model, options, num_objects, jit_compile):
    """The model's decoder, with logits that force the end token after a number of objects.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        num_objects: int, objects before the end.
        jit_compile: bool, whether XLA compiles it.

    Returns:
        `tf.function`: encoded (B, N, D), seeds int32 (B,) -> tokens int32 (B, 5·max_objects).
    """
    options = dataclasses.replace(options, stop_at_end=True)
    write = cache_write(jit_compile)

    @tf.function(autograph=False, jit_compile=jit_compile)
    def decode(encoded, seeds):
        weights = model.decoder.prepare()

        def step(token, position, cache):
            x = model.embedding(token[:, None], position=position)
            hidden, cache = model.decoder.step(x, position, cache, write, weights)
            return (hidden[:, 0], position), cache

        def projection(tokens):
            project, is_end = model.embedding.head(tokens), tf.constant(tokens == END_TOKEN)

            def logits(hidden_and_position):
                hidden, position = hidden_and_position
                bias = tf.where(position >= TOKENS_PER_OBJECT * num_objects, 1e9, -1e9)
                return project(hidden) + tf.where(is_end, bias, 0.0)

            return logits

        loop, lengths = DecodingLoop(step, model.vocabulary, options, projection), cache_lengths(options, jit_compile)
        state = loop.start(model.decoder.init_cache(encoded, lengths[0], write), seeds)
        return loop.run_in_stages(state, lengths, model.decoder.grow_cache)["tokens"]

    return decode
