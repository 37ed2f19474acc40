"""Uniform numbers that are a pure function of (seed of the row, position).

No TensorFlow random op: those depend on the batch's other rows, and TFLite has none of them.
"""

import tensorflow as tf


def hashed_uniform(seeds, position):
    """Uniform numbers in (0, 1) from a counter-based hash.

    Args:
        seeds: int32 tensor (B,), one seed a row.
        position: int32 scalar tensor, the place in the sequence.

    Returns:
        float32 tensor (B,): multiples of 2^-24, shifted by half of one.
    """
    x = tf.cast(seeds, tf.int32) * -1640531527 + tf.cast(position, tf.int32) * 1013904223 + 12820163
    # Murmur3's finaliser, twice, with arithmetic shifts: int32 products wrap the same way in TF, XLA and TFLite.
    for _ in range(2):
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16)) * -2048144789
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 13)) * -1028477387
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, 16))
    top = tf.cast(tf.bitwise.right_shift(x, 8), tf.float32)  # 24 bits: −2^23 … 2^23 − 1
    return (top + (2.0**23 + 0.5)) * 2.0**-24
