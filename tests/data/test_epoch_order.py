"""Which image stands where: epochs, copies, repeats, and the shares of workers."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.epoch_order import shared_position, visit
from pix2seq_keras.data.repeat_sampling import RepeatSchedule


def visits(positions, count, **options):
    """Images and seeds at positions of a run."""
    data = tf.data.Dataset.from_tensor_slices(np.asarray(positions, np.int64))
    found = list(data.map(lambda position: visit(position, count, 7, **options)).as_numpy_iterator())
    return [int(image) for image, _ in found], [tuple(seed) for _, seed in found]


def test_every_epoch_has_every_image_once_and_an_order_of_its_own():
    images, seeds = visits(range(60), 20)
    epochs = [images[:20], images[20:40], images[40:]]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert len(set(seeds)) == 60


def test_a_position_says_all_whatever_came_before():
    whole, seeds = visits(range(50), 9)
    part, part_seeds = visits(range(33, 50), 9)
    assert (part, part_seeds) == (whole[33:], seeds[33:])


def test_copies_are_neighbours_with_seeds_of_their_own():
    once, _ = visits(range(9), 9)
    thrice, seeds = visits(range(27), 9, copies=3)
    assert thrice == [image for image in once for _ in range(3)]
    assert len(set(seeds)) == 27


def test_a_schedule_repeats_images_within_an_epoch():
    schedule = RepeatSchedule(np.array([1.0, 1.0, 3.0, 1.0]), seed=0)
    images, _ = visits(range(12), 4, schedule=schedule)
    for epoch in (images[:6], images[6:]):
        assert sorted(epoch) == [0, 1, 2, 2, 2, 3]


@pytest.mark.parametrize("workers", [1, 2, 3, 6])
def test_the_shares_of_all_workers_are_the_batches_of_one(workers):
    share = 6 // workers
    parts = []
    for worker in range(workers):
        positions = [int(shared_position(tf.constant(p, tf.int64), 6, worker, workers)) for p in range(4 * share)]
        parts.append(np.reshape(positions, (4, share)))  # (batches, share)
    np.testing.assert_array_equal(np.concatenate(parts, 1), np.arange(24).reshape(4, 6))
