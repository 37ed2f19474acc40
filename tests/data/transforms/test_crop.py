import numpy as np
import tensorflow as tf
from scipy import stats

from pix2seq_keras.data.transforms import random_crop


def test_pixels_and_boxes_stay_aligned(rectangles):
    crop = rectangles.graph(lambda image, boxes, seed: random_crop(image, boxes, (32, 48), seed=seed))

    compared, dead = 0, 0
    for case in range(200):
        image, boxes = rectangles.draw(case)
        image, boxes = crop(image, boxes, (case, 1))
        assert image.shape[0] <= 32 and image.shape[1] <= 48
        found = rectangles.check_alignment(image.numpy(), boxes)
        compared, dead = compared + found, dead + (not found)

    assert compared > 120 and dead > 5  # both kinds occurred


def ramp(height, width):
    """An image whose first channel is the row and whose second is the column of each pixel."""
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return tf.constant(np.stack([rows, columns, rows], -1), tf.float32)


def crop_offsets(count, image, canvas):
    """The offsets (count, 2) of `count` crops."""

    @tf.function(autograph=False)
    def run():
        def one(index):
            cropped, _ = random_crop(image, tf.zeros((0, 4)), canvas, seed=(index, 9))
            return cropped[0, 0, :2]

        return tf.map_fn(one, tf.range(count), fn_output_signature=tf.float32)

    return run().numpy()


def test_the_offset_is_uniform_over_the_slack():
    offsets = crop_offsets(800, ramp(1000, 4), (100, 4))

    # Truncation puts u·900 into whole pixels; spread each back over its pixel before comparing.
    spread = offsets[:, 0] + np.random.default_rng(0).uniform(size=800)
    assert stats.kstest(spread, stats.uniform(0, 900).cdf).pvalue > 0.01
    np.testing.assert_array_equal(offsets[:, 1], 0)


def test_one_random_number_gives_both_offsets():
    y, x = crop_offsets(100, ramp(300, 500), (100, 100)).T

    np.testing.assert_array_equal(y, np.floor(y))
    assert np.all(np.abs(y / 200 - x / 400) <= 1 / 200)


def test_an_image_inside_the_canvas_is_not_cropped(rectangles):
    image, boxes = rectangles.draw(7)

    cropped, same_boxes = random_crop(image, boxes, (200, 200), seed=(0, 0))

    np.testing.assert_array_equal(cropped, image)
    np.testing.assert_allclose(same_boxes, boxes, atol=1e-6)


def test_cropped_boxes_equal_numbers_computed_by_hand():
    boxes = tf.constant([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.01, 0.01], [0.99, 0.99, 1.0, 1.0]])

    image, cropped = random_crop(ramp(100, 200), boxes, (50, 100), seed=(4, 2))

    y, x = image[0, 0, :2].numpy()
    assert 0 < y < 49 and 0 < x < 99
    expected = [[0, 0, 1, 1], [0, 0, max(0, (1 - y) / 50), max(0, (2 - x) / 100)], [1, 1, 1, 1]]
    np.testing.assert_allclose(cropped, expected, atol=1e-6)


def test_the_same_seed_gives_the_same_crop_and_others_differ():
    image = ramp(400, 4)

    first, second = crop_offsets(30, image, (100, 4)), crop_offsets(30, image, (100, 4))

    np.testing.assert_array_equal(first, second)
    assert len(np.unique(first[:, 0])) > 20


def test_images_without_boxes_pass(no_boxes):
    image, boxes = random_crop(*no_boxes, (20, 20), seed=(0, 1))

    assert image.shape == (20, 20, 3)
    assert boxes.shape == (0, 4)
