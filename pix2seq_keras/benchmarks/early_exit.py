"""A decoder that is made to end early."""

import tensorflow as tf

from pix2seq_keras.decoding import DecodingLoop, run_in_stages
from pix2seq_keras.models.generation import cache_write, stages
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN


def make_ending_decoder(model, options, after, jit_compile):
    """Ours, with logits that force the end token after some objects.

    Args:
        model: `Pix2Seq`.
        options: `generation.Options`.
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

        args = (model.vocabulary, options.max_objects, options.sampler, options.constrained, True, head)
        loop, lengths = DecodingLoop(step, *args), stages(options, jit_compile)
        state = loop.start(model.init_cache(encoded, lengths[0], writing), seeds)
        return loop.result(run_in_stages(loop, state, lengths, model.decoder.grow_cache))["tokens"]

    return decode
