"""Coordinate refinement: the mean of the bins around the chosen one."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Vocabulary
from pix2seq_keras.decoding.coordinate_refinement import CoordinateRefinement
from pix2seq_keras.sequences.grammar import FORBIDDEN

VOCABULARY = Vocabulary(num_classes=1, num_bins=11)  # coordinates 4…14; a window of 0.1 is one bin
BINS = np.arange(4, 15, dtype=np.int32)


def logits_of(probabilities):
    return np.log(np.maximum(np.array([probabilities], np.float32), 1e-30))


def refine(window, logits, tokens, chosen):
    return np.asarray(CoordinateRefinement(VOCABULARY, window)(logits, tokens, tf.constant(chosen, tf.int32)))


def test_it_is_the_mean_of_the_bins_within_the_window():
    logits = logits_of([0.05, 0.1, 0.3, 0.1, 0.05, 0, 0, 0, 0.2, 0.2, 0])

    one = refine(0.1, logits, BINS, [7])
    two = refine(0.2, logits, BINS, [7])

    assert one[0] == pytest.approx((0.3 * 6 + 0.1 * 7 + 0.05 * 8) / 0.45, rel=1e-5)
    assert two[0] == pytest.approx(
        (0.1 * 5 + 0.3 * 6 + 0.1 * 7 + 0.05 * 8) / 0.55, rel=1e-5
    )  # the far peak is not in it


def test_a_single_peak_keeps_its_bin():
    logits = np.where(BINS == 9, 50.0, 0.0)[None].astype("float32")

    assert refine(0.3, logits, BINS, [9])[0] == pytest.approx(9, abs=1e-5)


def test_a_window_of_zero_keeps_the_token():
    logits = np.random.default_rng(0).normal(size=(11, 11)).astype("float32")

    np.testing.assert_array_equal(refine(0.0, logits, BINS, BINS), BINS.astype("float32"))


def test_a_row_does_not_depend_on_the_rest_of_its_batch():
    logits = np.random.default_rng(0).normal(size=(5, 11)).astype("float32")
    chosen = [4, 6, 9, 12, 14]

    alone = [refine(0.2, logits[row : row + 1], BINS, chosen[row : row + 1])[0] for row in range(5)]

    np.testing.assert_allclose(refine(0.2, logits, BINS, chosen), alone, rtol=1e-6)


def test_forbidden_bins_do_not_count():
    logits = np.zeros((1, 11), np.float32)
    logits[0, :5] = FORBIDDEN  # below token 9

    assert refine(0.2, logits, BINS, [9])[0] == pytest.approx(10)


@pytest.mark.parametrize("token", [0, 1, 2, 3])
def test_tokens_that_are_not_coordinates_stay_and_do_not_count(token):
    everything = np.arange(15, dtype=np.int32)
    logits = np.zeros((2, 15), np.float32)
    logits[:, :4] = 9.0  # end, start, noise and the class are likelier than all bins, and next to the first

    np.testing.assert_allclose(refine(0.2, logits, everything, [token, 4]), [token, 5.0], rtol=1e-6)


def test_class_positions_stay_as_they_are():
    tokens = np.array([0, 2, 3], np.int32)

    assert refine(0.2, np.zeros((1, 3), np.float32), tokens, [3])[0] == 3
