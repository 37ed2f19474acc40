"""What decoding is compared with: the same weights, decoded without our optimisations."""

import tensorflow as tf
from keras import ops

from pix2seq_keras.decoding import DecodingLoop


def make_plain_decoder(model, options):
    """The plain baseline, which decodes as the published code does: a loop in the graph that caches hidden states.

    Every step projects the keys and values of the image and of all earlier positions again, and computes the logits of
    the whole vocabulary. It attends only to positions that are already decoded.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete, with `constrained=False`.

    Returns:
        `tf.function`: encoded (B, N, D), seeds int32 (B,), until int32 -> tokens int32 (B, 5·max_objects), decoded up
        to position `until`.
    """
    decoder, embedding = model.decoder, model.embedding

    @tf.function(autograph=False)
    def decode(encoded, seeds, until):
        def step(token, position, cache):
            x, states = embedding(token[:, None], position=position), []
            for block, cached in zip(decoder.blocks, cache, strict=True):
                normed = block.self_norm(x)  # (B, 1, D)
                rows = tf.range(tf.shape(cached)[0])
                indices = tf.stack([rows, tf.fill(tf.shape(rows), position)], -1)
                states.append(tf.tensor_scatter_nd_update(cached, indices, normed[:, 0]))
                earlier = states[-1][:, : position + 1]
                attention = block.self_attention
                x = x + attention.compute_attention(normed, *attention.project_memory(earlier))[0]
                cross = block.cross_attention
                x = x + cross.compute_attention(block.cross_norm(x), *cross.project_memory(encoded))[0]
                x = x + block.mlp(block.mlp_norm(x))
            return embedding.logits(decoder.output_norm(x)[:, 0]), states

        loop = DecodingLoop(step, model.vocabulary, options)
        shape = [tf.shape(encoded)[0], loop.length, encoded.shape[-1]]
        cache = [tf.zeros(shape, encoded.dtype) for _ in decoder.blocks]
        return loop.run(loop.start(cache, seeds), until)["tokens"]

    return decode


def make_uncached_step(model):
    """One decoding step without a cache: the whole decoder runs over all tokens so far.

    Args:
        model: `Pix2Seq`.

    Returns:
        `tf.function`: encoded (B, N, D), tokens int32 (B, L) with the start token -> logits of the next token (B, V).
    """

    @tf.function(autograph=False, reduce_retracing=True)
    def step(encoded, tokens):
        hidden = model.decoder(model.embedding(tokens), encoded)
        return model.embedding.logits(ops.take(hidden, ops.shape(tokens)[1] - 1, axis=1))

    return step
