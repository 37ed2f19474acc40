"""The published distributions, as they arrive in whole sequences. Fixed seeds: each test passes always or never."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras.sequences import NOISE_CLASS, SequenceOptions, select_objects

UNLIKELY = 1e-3
# Far from the frame, so that nothing moved is clipped, and of sides that no random box has by chance.
REAL = np.array([[0.40, 0.30, 0.48, 0.54], [0.50, 0.60, 0.62, 0.66], [0.70, 0.35, 0.72, 0.40]], np.float32)


def sequences(count, **options):
    """Noise boxes (count, max_objects − 3, 4) of `count` whole sequences with the three real boxes."""
    options = SequenceOptions(**options)

    @tf.function(autograph=False)
    def run():
        def one(index):
            boxes, classes = select_objects(REAL, tf.range(3), options, tf.stack([index, 21]))
            return tf.boolean_mask(boxes, classes == NOISE_CLASS)

        return tf.map_fn(one, tf.range(count), fn_output_signature=tf.float32)

    return run().numpy()


@pytest.fixture(scope="module")
def unmoved():
    """600 published sequences of 100 objects, but that duplicates are not moved: they are then known exactly."""
    return sequences(600, jitter=0.0)


def is_duplicate(noise):
    return (noise[..., None, :] == REAL).all(-1).any(-1)


def test_the_share_of_duplicates_is_uniform_from_none_to_all(unmoved):
    assert unmoved.shape == (600, 97, 4)

    duplicates = is_duplicate(unmoved).sum(-1)  # 0 … 97 inclusive

    spread = (duplicates + np.random.default_rng(0).uniform(size=600)) / 98
    assert stats.kstest(spread, "uniform").pvalue > UNLIKELY
    assert duplicates.min() <= 1 and duplicates.max() >= 96


def test_duplicates_are_at_any_position_of_the_sequence(unmoved):
    rng = np.random.default_rng(1)
    # One place a sequence: several of one sequence exclude each other.
    places = np.array([rng.choice(np.flatnonzero(row)) for row in is_duplicate(unmoved) if row.any()])

    spread = (places + rng.uniform(size=len(places))) / 97
    assert stats.kstest(spread, "uniform").pvalue > UNLIKELY


def test_duplicates_are_moved_by_a_normal_of_five_percent_of_the_side_cut_at_two_sigma():
    noise = sequences(30, duplicate_share=1.0)  # all are duplicates

    nearest = np.abs(noise[:, :, None] - REAL).sum(-1).argmin(-1)  # (30, 97): which real box each came from
    real = REAL[nearest]
    sides = np.tile(real[..., 2:] - real[..., :2], 2)  # (30, 97, 4): h, w, h, w
    sigmas = ((noise - real) / (0.05 * sides)).reshape(-1, 4)  # (2910, 4)

    assert 1.9 < np.abs(sigmas).max() <= 2 + 1e-3
    for column in sigmas.T:
        assert stats.kstest(column, stats.truncnorm(-2, 2).cdf).pvalue > UNLIKELY
    assert np.abs(np.corrcoef(sigmas.T) - np.eye(4)).max() < 0.08
    counts = np.bincount(nearest.ravel())
    assert counts.max() - counts.min() <= 30  # 97 places for three boxes: 32 or 33 each in every sequence


def test_the_rest_is_shifted_boxes_with_uniform_centres_and_random_ones(unmoved):
    bad = unmoved[~is_duplicate(unmoved)]
    inside = ((bad > 0) & (bad < 1)).all(-1)
    sides = bad[:, 2:] - bad[:, :2]
    small = inside & (np.abs(sides - (REAL[2, 2:] - REAL[2, :2])).max(-1) < 1e-6)  # the smallest real box, shifted

    centers = ((bad[:, :2] + bad[:, 2:]) / 2)[small]
    assert small.sum() > 2000
    for axis, side in enumerate((0.02, 0.05)):
        # A box that the frame cuts is not counted as one of these.
        assert stats.kstest(centers[:, axis], stats.uniform(side / 2, 1 - side).cdf).pvalue > UNLIKELY


def test_half_of_the_rest_is_shifted():
    noise = sequences(300, duplicate_share=0.0)

    sizes = REAL[:, 2:] - REAL[:, :2]
    sides = noise[..., 2:] - noise[..., :2]  # (300, 97, 2)
    # A shifted box keeps its size, or less where the frame cuts it; a random one has sides of its own.
    shifted = (np.abs(sides[:, :, None] - sizes) < 1e-6).any(2).any(-1)
    both_cut = sizes.prod(-1).mean()  # the share of boxes cut on both axes, which are not recognised
    assert abs(shifted.mean() - 0.5 * (1 - both_cut)) < 0.01
