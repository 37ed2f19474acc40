"""Noise boxes have the published distributions. Every test has fixed seeds: it passes always or never."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pix2seq_keras.sequences import noise_boxes
from pix2seq_keras.sequences.noise import jittered_boxes, random_boxes, shifted_boxes

UNLIKELY = 1e-3
REAL = np.array([[0.4, 0.4, 0.6, 0.6]], np.float32)


@functools.cache
def drawer(count, share=None, jitter=0.0):
    """A compiled (boxes (n, 4), seeds (S, 2)) -> noise boxes (S, count, 4)."""

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([None, 2], tf.int32)])
    def draw(boxes, seeds):
        one = lambda seed: tf.ensure_shape(noise_boxes(boxes, count, seed, share, jitter), [count, 4])
        return tf.map_fn(one, seeds, fn_output_signature=tf.TensorSpec([count, 4]))

    return draw


def seeds(count):
    return np.stack([np.full(count, 11), np.arange(count)], -1).astype(np.int32)


def is_real(noise, real=REAL):
    """Which noise boxes are exactly a real one: the duplicates, where jitter is 0. (..., 4) -> (...)."""
    return (noise[..., None, :] == real).all(-1).any(-1)


def test_jitter_is_five_percent_of_the_side_cut_at_two_sigma():
    box = np.array([0.3, 0.2, 0.5, 0.8], np.float32)
    sides = np.array([0.2, 0.6, 0.2, 0.6])  # h, w, h, w

    jittered = jittered_boxes(np.tile(box, (3000, 1)), 0.05, (0, 1)).numpy()

    sigmas = (jittered - box) / (0.05 * sides)  # (3000, 4)
    assert np.abs(sigmas).max() <= 2 + 1e-4
    for column in sigmas.T:
        assert stats.kstest(column, stats.truncnorm(-2, 2).cdf).pvalue > UNLIKELY
    assert np.abs(np.corrcoef(sigmas.T) - np.eye(4)).max() < 0.08  # the four are moved independently


def test_shifted_boxes_keep_their_size_and_have_uniform_centres():
    boxes = np.tile(np.array([0.5, 0.1, 0.5 + 1e-3, 0.1 + 2e-3], np.float32), (3000, 1))

    shifted = shifted_boxes(boxes, (0, 2)).numpy()

    inside = (shifted > 0).all(-1) & (shifted < 1).all(-1)
    assert inside.mean() > 0.98
    np.testing.assert_allclose(
        (shifted[:, 2:] - shifted[:, :2])[inside], np.tile([1e-3, 2e-3], (inside.sum(), 1)), atol=1e-6
    )
    centers = (shifted[:, :2] + shifted[:, 2:]) / 2
    assert stats.kstest(centers[:, 0], "uniform").pvalue > UNLIKELY
    assert stats.kstest(centers[:, 1], "uniform").pvalue > UNLIKELY
    assert abs(np.corrcoef(centers.T)[0, 1]) < 0.08


def test_large_shifted_boxes_are_cut_only_where_they_leave_the_image():
    boxes = np.tile(np.array([0.0, 0.0, 0.6, 0.4], np.float32), (2000, 1))

    shifted = shifted_boxes(boxes, (0, 3)).numpy()

    # The centre of an axis is uniform, so what remains of a side s at the top is centre + s / 2.
    rng = np.random.default_rng(0)
    centers = rng.uniform(0, 1, (2000, 2))
    halves = np.array([0.3, 0.2])
    expected = np.clip(np.concatenate([centers - halves, centers + halves], -1), 0, 1)
    for axis in range(4):
        assert stats.ks_2samp(shifted[:, axis], expected[:, axis]).pvalue > UNLIKELY


def test_random_boxes_have_uniform_centres_and_half_normal_sides():
    boxes = random_boxes(4000, (0, 4)).numpy()

    rng = np.random.default_rng(1)
    centers = rng.uniform(0, 1, (4000, 2))
    halves = np.abs(stats.truncnorm(-2, 2, scale=0.5).rvs((4000, 2), random_state=rng)) / 2
    expected = np.clip(np.concatenate([centers - halves, centers + halves], -1), 0, 1)
    for axis in range(4):
        assert stats.ks_2samp(boxes[:, axis], expected[:, axis]).pvalue > UNLIKELY
    sides, expected_sides = boxes[:, 2:] - boxes[:, :2], expected[:, 2:] - expected[:, :2]
    for axis in range(2):
        assert stats.ks_2samp(sides[:, axis], expected_sides[:, axis]).pvalue > UNLIKELY
    assert abs(np.corrcoef(sides.T)[0, 1]) < 0.08


def test_the_number_of_duplicates_is_uniform_with_both_ends():
    noise = drawer(5)(REAL, seeds(1200)).numpy()

    duplicates = is_real(noise).sum(-1)  # (1200,)
    counts = np.bincount(duplicates, minlength=6)
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > UNLIKELY


@pytest.mark.parametrize(("share", "duplicates"), [(0.0, 0), (0.4, 2), (1.0, 5)])
def test_a_share_fixes_the_number_of_duplicates(share, duplicates):
    noise = drawer(5, share)(REAL, seeds(20)).numpy()

    assert (is_real(noise).sum(-1) == duplicates).all()


def test_duplicates_take_every_real_box_equally_often():
    real = np.array([[0.1, 0.1, 0.2, 0.2], [0.3, 0.3, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]], np.float32)

    noise = drawer(6, 1.0)(real, seeds(20)).numpy()

    counts = (noise[:, :, None] == real).all(-1).sum(1)  # (20, 3)
    assert (counts == 2).all()


def test_duplicates_are_shuffled_among_the_noise():
    noise = drawer(4, 0.25)(REAL, seeds(400)).numpy()

    places = is_real(noise).argmax(-1)
    assert stats.chisquare(np.bincount(places, minlength=4)).pvalue > UNLIKELY


def test_bad_boxes_are_shifted_and_random_ones_half_and_half():
    speck = np.array([[0.5, 0.5, 0.5005, 0.5005]], np.float32)  # no random box is so small

    noise = drawer(8, 0.0)(speck, seeds(400)).numpy()

    shifted = ((noise[..., 2:] - noise[..., :2]) < 6e-4).all(-1)  # (400, 8)
    assert abs(shifted.mean() - 0.5) < 0.03  # σ of the mean is below 0.009
    assert shifted.sum(-1).std() > 0.5  # drawn from one pool, not four and four


def test_without_real_boxes_all_noise_is_random():
    nothing = np.zeros((0, 4), np.float32)

    noise = drawer(5, 1.0)(nothing, seeds(600)).numpy().reshape(-1, 4)  # a share has nothing to duplicate

    assert noise.shape == (3000, 4)
    expected = random_boxes(3000, (5, 5)).numpy()
    for axis in range(4):
        assert stats.ks_2samp(noise[:, axis], expected[:, axis]).pvalue > UNLIKELY


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 12), st.integers(0, 15), st.integers(0, 2**31 - 1))
def test_noise_is_well_formed_and_as_many_as_wanted(real, count, seed):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, 1, (real, 2, 2)), axis=1)  # (n, [min, max], [y, x])
    boxes = corners.reshape(real, 4).astype(np.float32)

    noise = noise_boxes(boxes, count, (0, seed)).numpy()

    assert noise.shape == (count, 4)
    assert ((noise >= 0) & (noise <= 1)).all()
    assert (noise[:, :2] <= noise[:, 2:]).all()


def test_the_same_seed_gives_the_same_noise():
    one, again, other = (noise_boxes(REAL, 9, seed).numpy() for seed in ((1, 1), (1, 1), (1, 2)))

    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
