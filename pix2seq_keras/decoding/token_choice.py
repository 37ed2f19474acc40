"""How the token of a position is chosen: sampled, or given by a prompt."""

import tensorflow as tf


def sample(sampler, uniform, refine):
    """Chooses tokens with a sampler.

    Args:
        sampler: see `samplers`.
        uniform: float32 tensor (B,), a random number for each row.
        refine: function (logits (B, n), tokens (n,), token (B,)) -> float32 (B,), see `CoordinateRefinement`.

    Returns:
        Function (biased logits (B, n), logits (B, n), tokens (n,)) -> token int32 (B,), its log-probability (B,) from
        the logits without the bias, and the refined token float32 (B,).
    """

    def choose(biased, logits, tokens):
        index = sampler(biased, uniform)
        token = tf.gather(tf.constant(tokens), index)
        return token, _log_prob(logits, index), refine(logits, tokens, token)

    return choose


def take(prompt):
    """Takes the tokens of a prompt, int32 (B,), which must be among those allowed; see `sample`."""

    def choose(biased, logits, tokens):
        index = tf.argmax(tf.constant(tokens)[None] == prompt[:, None], -1, tf.int32)
        return prompt, _log_prob(logits, index), tf.cast(prompt, tf.float32)

    return choose


def _log_prob(logits, index):
    return tf.gather(logits, index[:, None], batch_dims=1)[:, 0] - tf.reduce_logsumexp(logits, -1)
