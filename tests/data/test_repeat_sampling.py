"""Repeat factors of Gupta et al., and the schedule that repeats images by fractions."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2seq_keras.data.repeat_sampling import _PHASES, _STEP, RepeatSchedule, repeat_factors
from pix2seq_keras.errors import InputError


def epoch_of(schedule, epoch):
    """The images at all places of an epoch."""
    return schedule.images(tf.range(schedule.length, dtype=tf.int64), epoch).numpy()


def counts_of(schedule, epoch):
    return np.bincount(epoch_of(schedule, epoch), minlength=len(schedule.factors))


# === Factors ===


def test_the_factor_of_an_image_is_that_of_its_rarest_class():
    # Class 0 is on all of ten images, class 1 on four, class 2 on one, class 3 on none.
    classes = [[0], [0, 0, 0], [0, 1], [1, 0], [0, 1, 1], [1, 0, 2], [0], [0], [0], [0]]

    factors = repeat_factors(classes, num_classes=4, threshold=0.9)

    middle, rare = np.sqrt(0.9 / 0.4), np.sqrt(0.9 / 0.1)  # 1.5 and 3; class 0: √0.9 is below 1
    np.testing.assert_allclose(factors, [1, 1, middle, middle, middle, rare, 1, 1, 1, 1])


def test_an_image_counts_once_for_a_class_with_any_number_of_objects():
    one, many = ([[0]] * 3 + [[1] * n] for n in (1, 50))

    np.testing.assert_array_equal(repeat_factors(one, 2, 1.0), repeat_factors(many, 2, 1.0))
    np.testing.assert_allclose(repeat_factors(many, 2, 1.0), [np.sqrt(4 / 3)] * 3 + [2])


def test_the_default_threshold_is_that_of_lvis():
    classes = [[0]] * 9_999 + [[1]]  # class 1 on one image of ten thousand

    factors = repeat_factors(classes, 2)

    assert (factors[:-1] == 1).all()
    np.testing.assert_allclose(factors[-1], np.sqrt(0.001 / 0.0001))


def test_images_without_objects_and_no_images_pass():
    np.testing.assert_allclose(repeat_factors([[], [0], []], 3, 1.0), [1, np.sqrt(3), 1])
    np.testing.assert_array_equal(repeat_factors([[], []], 3), [1, 1])
    assert repeat_factors([], 3).shape == (0,)


@pytest.mark.parametrize(
    ("classes", "threshold", "message"),
    [
        ([[0]], -1, "threshold=-1"),
        ([[0]], float("nan"), "threshold=nan"),
        ([[3]], 1, "0 … 2. Received: classes from 3 to 3"),
        ([[-1, 1]], 1, "classes from -1 to 1"),
    ],
)
def test_impossible_arguments_are_refused(classes, threshold, message):
    with pytest.raises(InputError, match=message):
        repeat_factors(classes, 3, threshold)


# === The schedule ===


def test_without_repetition_every_place_holds_its_own_image():
    schedule = RepeatSchedule(np.ones(1000), seed=5)
    # In this epoch the phase is 0 and every point is exactly where one image ends and the next begins.
    borderline = -schedule._first_phase * pow(_STEP, -1, _PHASES) % _PHASES

    for epoch in (0, 1, 77, borderline - 1, borderline, borderline + _PHASES):
        np.testing.assert_array_equal(epoch_of(schedule, epoch), np.arange(1000))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1, 9), min_size=1, max_size=60), st.integers(0, 2**31 - 1), st.integers(0, 10**6))
def test_every_image_comes_about_factor_times_and_at_least_once(factors, seed, epoch):
    schedule = RepeatSchedule(np.array(factors), seed)

    counts = counts_of(schedule, epoch)

    expected = schedule.factors * schedule.length / schedule.factors.sum()
    assert schedule.length - 1 < sum(factors) + 1e-9 and counts.sum() == schedule.length
    assert (counts >= 1).all()
    assert (np.abs(counts - expected) < 1 + 1e-6).all()  # rounded up or down, never further


def test_over_many_epochs_counts_approach_the_factors():
    rng = np.random.default_rng(0)
    schedule = RepeatSchedule(1 + rng.exponential(0.7, 300), seed=1)
    epochs = 200

    counts = sum(counts_of(schedule, epoch) for epoch in range(epochs))

    expected = epochs * schedule.factors * schedule.length / schedule.factors.sum()
    # Independent rounding would be off by up to 7·√epochs / 2 ≈ 20 somewhere.
    assert np.abs(counts - expected).max() < 6


def test_an_epoch_is_a_function_of_seed_and_number():
    factors = 1 + np.random.default_rng(0).uniform(0, 1, 50)
    one, again, other = RepeatSchedule(factors, 3), RepeatSchedule(factors, 3), RepeatSchedule(factors, 4)

    np.testing.assert_array_equal(epoch_of(one, 9), epoch_of(again, 9))
    assert (epoch_of(one, 9) != epoch_of(one, 10)).any()
    assert (epoch_of(one, 9) != epoch_of(other, 9)).any()


def test_tf_data_computes_each_place_independently():
    schedule = RepeatSchedule(1 + np.random.default_rng(0).uniform(0, 2, 40), seed=2)
    length = schedule.length

    def locate(position):
        return schedule.images(position % length, position // length)

    # Started in the middle of the second epoch, as a resumed run is.
    data = tf.data.Dataset.range(length + 7, 3 * length).map(locate)
    found = np.array(list(data.as_numpy_iterator()))

    np.testing.assert_array_equal(found, np.concatenate([epoch_of(schedule, 1)[7:], epoch_of(schedule, 2)]))


def test_a_million_images_lose_no_precision():
    factors = np.ones(1_200_000)
    factors[::1000] = 3.3
    schedule = RepeatSchedule(factors, seed=0)

    counts = counts_of(schedule, 123_456)

    assert counts.min() == 1 and counts.max() == 4
    assert set(np.unique(counts[factors == 3.3])) == {3, 4}
    assert abs(counts[::1000].mean() - 3.3) < 0.05


@pytest.mark.parametrize("factors", [[], [[1.0]], [0.5, 1], [1, np.nan], [np.inf]])
def test_impossible_factors_are_refused(factors):
    with pytest.raises(InputError, match="at least 1"):
        RepeatSchedule(np.array(factors))
