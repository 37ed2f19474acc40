"""Groups of near-duplicates are those of comparing all with all, and found quickly among very many."""

import time

import numpy as np
import pytest

from pix2seq_keras.reports.dataset import duplicates
from pix2seq_keras.reports.dataset.duplicates import near_duplicates
from pix2seq_keras.reports.dataset.fingerprints import Fingerprint

SOMETHING = np.arange(256, dtype=np.uint8).reshape(16, 16)


def prints(words, looks=None):
    """Fingerprints that all look alike, though no two are equal, unless it is said what each looks like."""
    found = []
    for number, (rows, columns) in enumerate(words):
        small = SOMETHING.copy() if looks is None else looks[number].copy()
        small.reshape(-1)[number % 256] ^= 1 + number // 256 % 8
        found.append(Fingerprint(int(rows), int(columns), small))
    return found


def flipped(word, bits):
    for bit in bits:
        word ^= 1 << int(bit)
    return word


def by_comparing_all(found, max_distance):
    """Connected groups, by plain Python."""
    near = lambda a, b: max((a.rows ^ b.rows).bit_count(), (a.columns ^ b.columns).bit_count()) <= max_distance
    groups = []
    for index, one in enumerate(found):
        touching = [group for group in groups if any(near(one, found[other]) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append(sorted([index, *(member for group in touching for member in group)]))
    return sorted(group for group in groups if len(group) > 1)


@pytest.mark.parametrize("max_distance", [0, 3, 6])
def test_groups_are_those_of_comparing_all_with_all(monkeypatch, max_distance):
    monkeypatch.setattr(duplicates, "_LONG_RUN", 16)  # both ways of comparing, and more than one block
    monkeypatch.setattr(duplicates, "_BLOCK", 8)
    rng = np.random.default_rng(max_distance)
    words = rng.integers(0, 2**63, (60, 2)).tolist()
    words += [[rows & 0xFFF, columns & 0x3] for rows, columns in words[:40]]  # many that share parts
    for rows, columns in words[:30]:
        bits = [rng.choice(64, rng.integers(9), False) for _ in range(2)]
        words.append([flipped(rows, bits[0]), flipped(columns, bits[1])])
    found = prints(rng.permutation(np.asarray(words, np.uint64)))

    groups = near_duplicates(found, max_distance)

    assert groups == by_comparing_all(found, max_distance)
    assert groups or max_distance == 0


@pytest.mark.parametrize("bits", [(0, 9, 18, 27, 36, 45), (58, 59, 60, 61, 62, 63), (0, 1, 2, 3, 4, 5)])
def test_six_bits_anywhere_are_near_and_seven_are_not(bits):
    words = [(0, 0), (flipped(0, bits), flipped(0, bits))]

    assert near_duplicates(prints(words)) == [[0, 1]]
    assert near_duplicates(prints([words[0], (flipped(words[1][0], [30]), 0)])) == []
    assert near_duplicates(prints([words[0], (0, flipped(words[1][1], [30]))])) == []


def test_hashes_that_are_near_by_chance_are_no_duplicates():
    words, other = [(0, 0), (0, 0), (1, 0), (1, 0)], SOMETHING[::-1]

    assert near_duplicates(prints(words, [SOMETHING, other, SOMETHING, other])) == [[0, 2], [1, 3]]


def test_exact_copies_are_one_group_and_plain_images_none():
    copies = [Fingerprint(3, 4, SOMETHING)] * 5
    assert near_duplicates([*copies, *prints([(2**40 - 1, 0)])]) == [[0, 1, 2, 3, 4]]
    assert near_duplicates([Fingerprint(0, 0, np.full((16, 16), 7, np.uint8))] * 3) == []
    assert near_duplicates([]) == []


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.large)])
def test_very_many_images_are_no_quadratic_wait(count):
    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**64, (count, 2), dtype=np.uint64)
    looks = rng.integers(0, 256, (count, 16, 16), np.uint8)
    copies, alike = slice(count // 2, count * 11 // 20), slice(count * 3 // 5, count * 13 // 20)
    words[copies], looks[copies] = words[0], looks[0]  # one in twenty is a copy of one image
    words[alike, 0] &= np.uint64(0xFFFF_FFFF)  # and as many are alike in half their bits
    words[-1], looks[-1] = words[17] ^ np.uint64(0b10101), looks[17]
    found = prints(words, looks)

    start = time.process_time()
    groups = near_duplicates(found)

    # Compared in Python, all pairs would be a minute for the fewer and two hours for the many.
    assert time.process_time() - start < count / 1000
    assert [len(group) for group in groups] == [count // 20 + 1, 2]
    assert groups[1] == [17, count - 1]
