"""Stateless random numbers. Every draw has a name, so that a new draw does not change the others."""

import zlib

import tensorflow as tf


def fold(seed, name):
    """Derives the seed of one named use from the seed of an example.

    Args:
        seed: int tensor (2,), the example's seed, a pure function of (seed, epoch, index).
        name: str (the name of the use) or int scalar tensor (a counter).

    Returns:
        int tensor (2,).
    """
    data = zlib.crc32(name.encode()) & 0x7FFFFFFF if isinstance(name, str) else name
    return tf.random.experimental.stateless_fold_in(tf.cast(seed, tf.int32), tf.cast(data, tf.int32))


def shuffled(count, seed):
    """int32 tensor (count,): a random permutation of 0 … count − 1, decided by `seed` (2,)."""
    return tf.argsort(tf.random.stateless_uniform([count], seed), stable=True)
