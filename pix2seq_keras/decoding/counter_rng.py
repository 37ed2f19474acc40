"""Uniform numbers that are a pure function of (seed of the row, position).

No TensorFlow random op: those depend on the batch's other rows, and TFLite has none of them.
"""

import numpy as np
import tensorflow as tf

from pix2seq_keras.errors import InputError


def hashed_uniform(seeds, position):
    """Uniform numbers in (0, 1) from a counter-based hash.

    Args:
        seeds: int32 tensor (B,), one seed a row.
        position: int32 scalar tensor, the place in the sequence.

    Returns:
        float32 tensor (B,): multiples of 2^-23, shifted by half of one, so that neither 0 nor 1 occurs.
    """
    # The seed is mixed before the position joins it: no row's numbers are another row's, some positions later.
    x = _mixed(tf.cast(seeds, tf.int32) * -1640531527 + 12820163)
    x = _mixed(x + tf.cast(position, tf.int32) * 1013904223)
    top = tf.cast(tf.bitwise.right_shift(x, 9), tf.float32)  # 23 bits: −2^22 … 2^22 − 1; with the half they are 24
    return (top + (2.0**22 + 0.5)) * 2.0**-23


def row_seeds(seed, count):
    """The seed of every row.

    Args:
        seed: int, or int array (count,).
        count: int, rows.

    Returns:
        int32 array (count,).

    Raises:
        InputError: if a seed is not an integer of 32 bits, or there are seeds of another number.
    """
    seeds = np.asarray(seed)
    if seeds.ndim > 1 or seeds.size not in (1, count) or seeds.dtype.kind not in "iu":
        raise InputError(
            f"`seed` must be one integer, or one seed for each of the {count} images. Received: type {seeds.dtype}, "
            f"shape {seeds.shape}"
        )
    if seeds.min() < -(2**31) or seeds.max() >= 2**31:
        raise InputError(f"`seed` must be of 32 bits. Received: seeds from {seeds.min()} to {seeds.max()}")
    return np.broadcast_to(seeds, [count]).astype(np.int32)


def _mixed(x):
    """Murmur3's 32-bit finaliser, a bijection; int32 products wrap the same way in TF, XLA and TFLite."""
    x = tf.bitwise.bitwise_xor(x, _logical_shift(x, 16)) * -2048144789
    x = tf.bitwise.bitwise_xor(x, _logical_shift(x, 13)) * -1028477387
    return tf.bitwise.bitwise_xor(x, _logical_shift(x, 16))


def _logical_shift(x, bits):
    """X >> bits with zeros coming in; int32 shifts bring in copies of the sign, which xor would cancel it with."""
    # x >> 31 is −1 for negative numbers. TFLite has no bitwise "and" to mask with.
    return tf.bitwise.right_shift(x, bits) - tf.bitwise.right_shift(x, 31) * 2 ** (32 - bits)
