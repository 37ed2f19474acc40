"""How a position's token is settled: by a sampler, or because it is given."""

import tensorflow as tf


def sampled(sampler, uniform, expect):
    """Chooses by a sampler.

    Args:
        sampler: see `samplers`.
        uniform: float32 tensor (B,), the rows' random numbers.
        expect: function (logits (B, n), tokens (n,), token (B,)) -> float32 (B,), see `CoordinateRefinement`.

    Returns:
        Function (biased logits (B, n), logits (B, n), tokens (n,)) -> token int32 (B,), its log-probability (B,) under
        the logits without the bias, and what is expected around it (B,).
    """

    def choose(biased, logits, tokens):
        index = sampler(biased, uniform)
        token = tf.gather(tf.constant(tokens), index)
        return token, _log_prob(logits, index), expect(logits, tokens, token)

    return choose


def given(wanted):
    """Takes the tokens int32 (B,) that are given; they must be among those of the place."""

    def choose(biased, logits, tokens):
        index = tf.argmax(tf.constant(tokens)[None] == wanted[:, None], -1, tf.int32)
        return wanted, _log_prob(logits, index), tf.cast(wanted, tf.float32)

    return choose


def _log_prob(logits, index):
    return tf.gather(logits, index[:, None], batch_dims=1)[:, 0] - tf.reduce_logsumexp(logits, -1)
