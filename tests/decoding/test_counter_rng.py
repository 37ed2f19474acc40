"""Hashed uniform numbers. Seeds are fixed, so that a test passes always or never."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras.decoding import hashed_uniform

UNLIKELY = 1e-3


def murmur(x):
    """The finaliser of MurmurHash3 on uint32, as published."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x ^ (x >> np.uint32(16))


def uniforms(seeds, positions):
    """float32 (len(seeds), len(positions))."""
    seeds, draw = tf.constant(seeds, tf.int32), tf.function(hashed_uniform)
    return np.stack([draw(seeds, tf.constant(position)).numpy() for position in positions], -1)


def test_the_hash_is_murmurs_on_unsigned_numbers():
    seeds = np.array([0, 1, -1, 123456789, -(2**31), 2**31 - 1], np.int32)

    for position in (0, 1, 499):
        mixed = murmur(seeds.astype(np.uint32) * np.uint32(0x9E3779B9) + np.uint32(12820163))
        mixed = murmur(mixed + np.uint32(position * 1013904223 % 2**32))
        bits = (mixed.astype(np.int64) ^ 2**31) >> 9  # a signed number's order
        np.testing.assert_array_equal(hashed_uniform(seeds, position), (bits + 0.5) / 2**23)


@pytest.mark.parametrize(
    ("seeds", "positions"),
    [(np.arange(20000), [3]), (np.arange(-10000, 10000) * 7919, [0]), ([42], range(3000)), (range(100), range(100))],
)
def test_numbers_are_uniform_over_the_whole_unit_interval(seeds, positions):
    numbers = uniforms(seeds, positions).ravel()

    assert stats.kstest(numbers, "uniform").pvalue > UNLIKELY
    assert stats.chisquare(np.histogram(numbers, 64, (0, 1))[0]).pvalue > UNLIKELY


def test_neighbouring_seeds_and_positions_are_independent():
    numbers = uniforms(np.arange(400), range(60))  # (400, 60)

    pairs = [
        (numbers[:-1], numbers[1:]),
        (numbers[:, :-1], numbers[:, 1:]),
        (numbers[:, :-5], numbers[:, 5:]),
        (numbers[:-1, 1:], numbers[1:, :-1]),
        (numbers[:-1, :-1], numbers[1:, 1:]),
    ]
    for one, other in pairs:
        table, _, _ = np.histogram2d(one.ravel(), other.ravel(), 8, [[0, 1], [0, 1]])
        assert stats.chisquare(table.ravel()).pvalue > UNLIKELY


def test_no_rows_stream_is_another_rows_shifted():
    numbers = uniforms(np.arange(300), range(100))

    # Of 30,000 draws from 2^23 numbers about 54 coincide by chance.
    assert len(np.unique(numbers)) > numbers.size - 100


def test_neither_zero_nor_one_occurs():
    numbers = np.concatenate([hashed_uniform(tf.range(2_000_000), position).numpy() for position in range(4)])

    assert numbers.min() > 0 and numbers.min() < 1e-5
    assert numbers.max() < 1 and numbers.max() > 1 - 1e-5


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graphs_give_the_same_numbers(jit_compile):
    compiled = tf.function(hashed_uniform, jit_compile=jit_compile)
    seeds = tf.constant([5, -7, 2**30])

    np.testing.assert_array_equal(compiled(seeds, tf.constant(17)), hashed_uniform(seeds, 17))


def test_a_row_does_not_depend_on_the_others():
    together = hashed_uniform(tf.range(10), 4).numpy()

    alone = [hashed_uniform(tf.constant([seed]), 4).numpy()[0] for seed in range(10)]

    assert together.tolist() == alone
