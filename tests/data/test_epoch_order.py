"""The order of images in a run: epochs, copies, repeats and the slices of workers."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.epoch_order import global_position, image_at
from pix2seq_keras.data.repeat_sampling import RepeatSchedule


def images_at(positions, count, **options):
    """Images and seeds at positions of a run."""
    data = tf.data.Dataset.from_tensor_slices(np.asarray(positions, np.int64))
    found = list(data.map(lambda position: image_at(position, count, 7, **options)).as_numpy_iterator())
    return [int(image) for image, _ in found], [tuple(seed) for _, seed in found]


def test_every_epoch_has_every_image_once_in_its_own_order():
    images, seeds = images_at(range(60), 20)
    epochs = [images[:20], images[20:40], images[40:]]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert len(set(seeds)) == 60


def test_images_depend_on_the_position_alone():
    whole, seeds = images_at(range(50), 9)
    part, part_seeds = images_at(range(33, 50), 9)
    assert (part, part_seeds) == (whole[33:], seeds[33:])


def test_copies_follow_each_other_with_different_seeds():
    once, _ = images_at(range(9), 9)
    thrice, seeds = images_at(range(27), 9, copies=3)
    assert thrice == [image for image in once for _ in range(3)]
    assert len(set(seeds)) == 27


def test_a_schedule_repeats_images_within_an_epoch():
    schedule = RepeatSchedule(np.array([1.0, 1.0, 3.0, 1.0]), seed=0)
    images, _ = images_at(range(12), 4, schedule=schedule)
    for epoch in (images[:6], images[6:]):
        assert sorted(epoch) == [0, 1, 2, 2, 2, 3]


@pytest.mark.parametrize("workers", [1, 2, 3, 6])
def test_the_slices_of_all_workers_are_the_batches_of_one(workers):
    share = 6 // workers
    parts = []
    for worker in range(workers):
        positions = [int(global_position(tf.constant(p, tf.int64), 6, worker, workers)) for p in range(4 * share)]
        parts.append(np.reshape(positions, (4, share)))  # (batches, share)
    np.testing.assert_array_equal(np.concatenate(parts, 1), np.arange(24).reshape(4, 6))
