"""Batches of one size, and when XLA repays its compilation."""

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.models.batching import batches, repays_compilation


@pytest.mark.parametrize(
    ("items", "fill_last", "expected"),
    [
        ("", True, []),
        ("abcd", False, [("ab", 2), ("cd", 2)]),
        ("abcd", True, [("ab", 2), ("cd", 2)]),
        ("abc", False, [("ab", 2), ("c", 1)]),
        ("abc", True, [("ab", 2), ("cc", 1)]),
        ("a", True, [("aa", 1)]),
    ],
)
def test_items_are_cut_into_batches_and_the_last_one_is_filled(items, fill_last, expected):
    found = [("".join(batch), count) for batch, count in batches(items, 2, fill_last)]

    assert found == expected


def test_no_more_items_are_taken_than_a_batch_needs():
    taken = []

    next(batches((taken.append(item) or item for item in range(10)), 3))

    assert taken == [0, 1, 2]


@pytest.mark.parametrize("batch_size", [0, -2])
def test_a_batch_size_below_one_is_refused(batch_size):
    with pytest.raises(InputError, match=f"`batch_size` must be at least 1. Received: batch_size={batch_size}"):
        next(batches("abc", batch_size))


@pytest.mark.parametrize(
    ("num_images", "batch_size", "max_objects", "expected"),
    [
        (199, 1, 4, False),  # 199 sequences of 20 tokens
        (200, 1, 4, True),
        (200, 8, 4, False),  # the sequences of a batch are decoded together
        (1593, 8, 4, True),
        (399, 1, 2, False),
        (400, 1, 2, True),
        (None, 1, 100, False),
    ],
)
def test_only_runs_of_many_decoding_steps_repay_compilation(num_images, batch_size, max_objects, expected):
    assert repays_compilation(num_images, batch_size, max_objects) == expected
