"""Groups of near-duplicates, compared with those of all pairs, and the time for many images."""

import time

import numpy as np
import pytest

from pix2seq_keras.reports.dataset import duplicates
from pix2seq_keras.reports.dataset.duplicates import find_near_duplicates
from pix2seq_keras.reports.dataset.fingerprints import Fingerprint

PATTERN = np.arange(256, dtype=np.uint8).reshape(16, 16)


def make_fingerprints(hashes, greys=None):
    """Fingerprints with given hashes; by default their grey images are similar, though no two are equal."""
    found = []
    for number, (rows, columns) in enumerate(hashes):
        small = PATTERN.copy() if greys is None else greys[number].copy()
        small.reshape(-1)[number % 256] ^= 1 + number // 256 % 8
        found.append(Fingerprint(int(rows), int(columns), small))
    return found


def flip_bits(value, bits):
    for bit in bits:
        value ^= 1 << int(bit)
    return value


def compare_all_pairs(found, max_distance):
    """Connected groups, in plain Python."""
    near = lambda a, b: (
        max((a.row_hash ^ b.row_hash).bit_count(), (a.column_hash ^ b.column_hash).bit_count()) <= max_distance
    )
    groups = []
    for index, one in enumerate(found):
        touching = [group for group in groups if any(near(one, found[other]) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append(sorted([index, *(member for group in touching for member in group)]))
    return sorted(group for group in groups if len(group) > 1)


@pytest.mark.parametrize("max_distance", [0, 3, 6])
def test_groups_are_those_of_comparing_all_pairs(monkeypatch, max_distance):
    monkeypatch.setattr(duplicates, "_LONG_RUN", 16)  # uses both ways of comparing, and several blocks
    monkeypatch.setattr(duplicates, "_BLOCK", 8)
    rng = np.random.default_rng(max_distance)
    hashes = rng.integers(0, 2**63, (60, 2)).tolist()
    hashes += [[rows & 0xFFF, columns & 0x3] for rows, columns in hashes[:40]]  # many with equal parts
    for rows, columns in hashes[:30]:
        bits = [rng.choice(64, rng.integers(9), False) for _ in range(2)]
        hashes.append([flip_bits(rows, bits[0]), flip_bits(columns, bits[1])])
    found = make_fingerprints(rng.permutation(np.asarray(hashes, np.uint64)))

    groups = find_near_duplicates(found, max_distance)

    assert groups == compare_all_pairs(found, max_distance)
    assert groups or max_distance == 0


@pytest.mark.parametrize("bits", [(0, 9, 18, 27, 36, 45), (58, 59, 60, 61, 62, 63), (0, 1, 2, 3, 4, 5)])
def test_hashes_that_differ_in_six_bits_are_near_and_in_seven_are_not(bits):
    hashes = [(0, 0), (flip_bits(0, bits), flip_bits(0, bits))]

    assert find_near_duplicates(make_fingerprints(hashes)) == [[0, 1]]
    assert find_near_duplicates(make_fingerprints([hashes[0], (flip_bits(hashes[1][0], [30]), 0)])) == []
    assert find_near_duplicates(make_fingerprints([hashes[0], (0, flip_bits(hashes[1][1], [30]))])) == []


def test_different_images_with_near_hashes_are_not_duplicates():
    hashes, other = [(0, 0), (0, 0), (1, 0), (1, 0)], PATTERN[::-1]

    assert find_near_duplicates(make_fingerprints(hashes, [PATTERN, other, PATTERN, other])) == [[0, 2], [1, 3]]


def test_exact_copies_are_one_group_and_images_of_one_colour_are_in_none():
    copies = [Fingerprint(3, 4, PATTERN)] * 5
    assert find_near_duplicates([*copies, *make_fingerprints([(2**40 - 1, 0)])]) == [[0, 1, 2, 3, 4]]
    assert find_near_duplicates([Fingerprint(0, 0, np.full((16, 16), 7, np.uint8))] * 3) == []
    assert find_near_duplicates([]) == []


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.large)])
def test_many_images_are_compared_in_less_than_quadratic_time(count):
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, (count, 2), dtype=np.uint64)
    greys = rng.integers(0, 256, (count, 16, 16), np.uint8)
    copies, alike = slice(count // 2, count * 11 // 20), slice(count * 3 // 5, count * 13 // 20)
    hashes[copies], greys[copies] = hashes[0], greys[0]  # one in twenty is a copy of the first image
    hashes[alike, 0] &= np.uint64(0xFFFF_FFFF)  # and as many have half of their bits in common
    hashes[-1], greys[-1] = hashes[17] ^ np.uint64(0b10101), greys[17]
    found = make_fingerprints(hashes, greys)

    start = time.process_time()
    groups = find_near_duplicates(found)

    # Comparing all pairs in Python would take a minute for 10,000 images and two hours for 100,000.
    assert time.process_time() - start < count / 1000
    assert [len(group) for group in groups] == [count // 20 + 1, 2]
    assert groups[1] == [17, count - 1]
