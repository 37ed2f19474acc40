"""The arithmetic of the samplers: from logits and uniform numbers to token indices, in the graph.

Inverse-CDF sampling with given uniform numbers instead of TensorFlow's random ops: a row's draw does not depend on the
other rows of its batch, and TFLite has every operation used here.
"""

import tensorflow as tf


def most_likely(logits):
    """The arg-max, the first of equals: float32 (B, V) -> int32 (B,)."""
    return tf.argmax(logits, -1, tf.int32)


def top_k(logits, uniform, k):
    """A draw from the k most likely tokens.

    Args:
        logits: float32 tensor (B, V).
        uniform: float32 tensor (B,) in (0, 1).
        k: int ≥ 0; 0 draws from all tokens.

    Returns:
        int32 tensor (B,).
    """
    size = logits.shape[-1]
    values, tokens = tf.math.top_k(logits, min(k or size, size))
    return _draw(tf.nn.softmax(values), tokens, uniform)


def nucleus(logits, uniform, p):
    """A draw from the nucleus; see `samplers.TopP`.

    Args:
        logits: float32 tensor (B, V).
        uniform: float32 tensor (B,) in (0, 1).
        p: float, float32 tensor (B, 1) with a value for each row, or None to draw from all tokens.

    Returns:
        int32 tensor (B,).
    """
    values, tokens = tf.math.top_k(logits, logits.shape[-1])
    probabilities = tf.nn.softmax(values)  # (B, V), descending
    if p is not None:
        inside = tf.cumsum(probabilities, -1) <= p
        kept = tf.maximum(tf.reduce_sum(tf.cast(inside, tf.int32), -1, keepdims=True), 1)
        smallest = tf.gather(probabilities, kept - 1, batch_dims=1)  # (B, 1)
        probabilities = tf.where(probabilities >= smallest, probabilities, 0.0)
    return _draw(probabilities, tokens, uniform)


def _draw(probabilities, tokens, uniform):
    """Inverse-CDF: the token in whose stretch of the (unnormalised) cumulative sum the number falls; (B,) int32."""
    cumulative = tf.cumsum(probabilities, -1)
    reached = cumulative < uniform[:, None] * cumulative[:, -1:]
    choice = tf.reduce_sum(tf.cast(reached, tf.int32), -1, keepdims=True)
    return tf.gather(tokens, choice, batch_dims=1)[:, 0]
