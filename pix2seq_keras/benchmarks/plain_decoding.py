"""What ours is compared with: the same weights, decoded without the pains taken elsewhere."""

import tensorflow as tf
from keras import ops

from pix2seq_keras.decoding import DecodingLoop, DecodingOptions


def make_plain_decoder(model, max_objects, sampler):
    """The published way: a loop in the graph that keeps the hidden states of earlier positions.

    Keys and values of the image and of all earlier positions are projected again at every step, and every step gives
    logits of the whole vocabulary. It reads no further than is filled.

    Args:
        model: `Pix2Seq`.
        max_objects: int.
        sampler: see `samplers`.

    Returns:
        `tf.function`: encoded (B, N, D), seeds int32 (B,), until int32 -> tokens int32 (B, 5·max_objects), read out up
        to position `until`.
    """
    decoder, embedding = model.decoder, model.embedding

    @tf.function(autograph=False)
    def decode(encoded, seeds, until):
        def step(token, position, cache):
            x, states = embedding(token[:, None], position=position), []
            for block, kept in zip(decoder.blocks, cache, strict=True):
                normed = block.self_norm(x)
                rows = tf.range(tf.shape(kept)[0])
                where = tf.stack([rows, tf.fill(tf.shape(rows), position)], -1)
                states.append(tf.tensor_scatter_nd_update(kept, where, normed[:, 0]))
                earlier = states[-1][:, : position + 1]
                attention = block.self_attention
                x = x + attention.attend(normed, *attention.project_memory(earlier))[0]
                cross = block.cross_attention
                x = x + cross.attend(block.cross_norm(x), *cross.project_memory(encoded))[0]
                x = x + block.mlp(block.mlp_norm(x))
            return embedding.logits(decoder.output_norm(x)[:, 0]), states

        options = DecodingOptions(max_objects=max_objects, sampler=sampler, constrained=False)
        loop = DecodingLoop(step, model.vocabulary, options.complete(model.max_length))
        shape = [tf.shape(encoded)[0], loop.length, encoded.shape[-1]]
        cache = [tf.zeros(shape, encoded.dtype) for _ in decoder.blocks]
        return loop.run(loop.start(cache, seeds), until)["tokens"]

    return decode


def make_uncached_step(model):
    """One step without any cache: the whole decoder over all tokens so far.

    Returns:
        `tf.function`: encoded (B, N, D), tokens int32 (B, L) with the start token -> logits of the next (B, V).
    """

    @tf.function(autograph=False, reduce_retracing=True)
    def step(encoded, tokens):
        hidden = model.decoder(model.embedding(tokens), encoded)
        return model.embedding.logits(ops.take(hidden, ops.shape(tokens)[1] - 1, axis=1))

    return step
