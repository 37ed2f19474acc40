"""Scales, crop offsets and flips have the published distributions: measured on images of ramps."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras.data.augmentation import augment_geometry
from pix2seq_keras.data.augmentation_options import Augmentation

UNLIKELY = 1e-3  # seeds are fixed: each test passes always or never


@pytest.fixture(scope="module")
def published_draws():
    """Of 800 augmented images: their scaled size (h′, w′), crop offset (y, x) and whether they were flipped."""
    # The value of a pixel is its place in the image, (row + ½) / h and (column + ½) / w, also after a bilinear resize,
    # except at the borders.
    height, width, canvas = 100, 50, (400, 200)
    rows, columns = ((np.arange(n) + 0.5) / n for n in (height, width))
    ramp = tf.constant(
        np.stack([*np.meshgrid(rows, columns, indexing="ij"), np.zeros((height, width))], -1), tf.float32
    )

    @tf.function(autograph=False)
    def run():
        def one(index):
            image, _ = augment_geometry(ramp, tf.zeros((0, 4)), canvas, Augmentation(), tf.stack([index, 1]))
            line, column = image[:, 0, 0], image[0, :, 1]  # (h″,), (w″,)
            half = tf.shape(image)[:2] // 2
            middle = [line[half[0]], line[half[0] + 10] - line[half[0] - 10]]
            middle += [column[half[1]], column[half[1] + 10] - column[half[1] - 10]]
            return tf.stack([*middle, *tf.unstack(tf.cast(half, tf.float32))])

        return tf.map_fn(one, tf.range(800), fn_output_signature=tf.float32)

    y, over_y, x, over_x, half_y, half_x = run().numpy().T.astype(float)
    scaled = np.round(np.stack([20 / over_y, 20 / np.abs(over_x)], -1))  # (800, 2)
    flipped = over_x < 0
    cropped = np.minimum(scaled, canvas)
    half_x = np.where(flipped, cropped[:, 1] - 1 - half_x, half_x)
    offsets = np.stack([y * scaled[:, 0] - 0.5 - half_y, x * scaled[:, 1] - 0.5 - half_x], -1)
    return scaled, np.round(offsets), flipped


def test_scale_factors_are_uniform(published_draws):
    scaled, _, _ = published_draws

    scales = (scaled[:, 0] + np.random.default_rng(0).uniform(size=800)) / 400  # sizes are truncated
    assert stats.kstest(scales, stats.uniform(0.3, 1.7).cdf).pvalue > UNLIKELY
    assert np.abs(scaled[:, 0] - 2 * scaled[:, 1]).max() <= 2  # one factor for both sides


def test_crop_offsets_are_one_uniform_number_times_the_slack_of_both_axes(published_draws):
    scaled, offsets, _ = published_draws
    slack = scaled - np.minimum(scaled, (400, 200))
    larger = slack.min(1) >= 20

    assert larger.sum() > 300
    np.testing.assert_array_equal(offsets[slack[:, 0] == 0], 0)
    spread = (offsets[larger] + np.random.default_rng(1).uniform(size=(larger.sum(), 2))) / slack[larger]
    for axis in range(2):
        assert stats.kstest(spread[:, axis], "uniform").pvalue > UNLIKELY
    number = (offsets[larger] + 0.5) / slack[larger]
    assert (np.abs(number[:, 0] - number[:, 1]) <= 1 / slack[larger].min(1)).all()


def test_scale_offset_and_flip_are_independent(published_draws):
    scaled, offsets, flipped = published_draws
    slack = scaled[:, 0] - 400
    larger = slack >= 20

    numbers = np.stack([scaled[larger, 0], offsets[larger, 0] / slack[larger], flipped[larger]])
    assert np.abs(np.corrcoef(numbers)[np.triu_indices(3, 1)]).max() < 0.15
    assert stats.binomtest(int(flipped.sum()), 800).pvalue > UNLIKELY
