import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.transforms import random_horizontal_flip, random_vertical_flip
from pix2seq_keras.errors import InputError


@pytest.mark.parametrize(("flip", "axis"), [(random_horizontal_flip, 1), (random_vertical_flip, 0)])
def test_pixels_and_boxes_stay_aligned(rectangles, flip, axis):
    transform = rectangles.graph(lambda image, boxes, seed: flip(image, boxes, seed=seed))

    flipped = 0
    for case in range(200):
        original, original_boxes = rectangles.draw(case)
        image, boxes = transform(original, original_boxes, (case, 1))
        assert rectangles.check_alignment(image.numpy(), boxes)
        if not np.array_equal(image, original):
            flipped += 1
            np.testing.assert_array_equal(image, np.flip(original, axis))

    assert 70 < flipped < 130


def test_flipped_boxes_equal_numbers_computed_by_hand():
    boxes = tf.constant([[0.1, 0.2, 0.5, 0.6]])

    _, flipped = random_horizontal_flip(tf.zeros((4, 4, 3)), boxes, probability=1.0, seed=(0, 0))

    np.testing.assert_allclose(flipped, [[0.1, 0.4, 0.5, 0.8]], atol=1e-6)
    _, flipped = random_vertical_flip(tf.zeros((4, 4, 3)), boxes, probability=1.0, seed=(0, 0))
    np.testing.assert_allclose(flipped, [[0.5, 0.2, 0.9, 0.6]], atol=1e-6)


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("flip", [random_horizontal_flip, random_vertical_flip])
def test_the_share_of_flipped_images_is_the_probability(flip, probability):
    boxes = tf.constant([[0.0, 0.0, 0.5, 0.5]])

    @tf.function(autograph=False)
    def run():
        def one(index):
            image = tf.zeros((2, 2, 3))
            flipped = flip(image, boxes, probability=probability, seed=(index, 5))[1]
            return tf.reduce_max(flipped[0, :2])

        return tf.map_fn(one, tf.range(1000), fn_output_signature=tf.float32)

    flips, again = run().numpy() > 0, run().numpy() > 0

    np.testing.assert_array_equal(flips, again)
    assert abs(flips.mean() - probability) <= (0.05 if 0 < probability < 1 else 0)


@pytest.mark.parametrize(("flip", "axis"), [(random_horizontal_flip, 1), (random_vertical_flip, 0)])
def test_images_without_boxes_pass(no_boxes, flip, axis):
    image, boxes = flip(*no_boxes, probability=1.0, seed=(0, 1))

    np.testing.assert_array_equal(image, np.flip(no_boxes[0], axis))
    assert boxes.shape == (0, 4)


@pytest.mark.parametrize("probability", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("flip", [random_horizontal_flip, random_vertical_flip])
def test_an_impossible_probability_is_refused(no_boxes, flip, probability):
    with pytest.raises(InputError, match=r"must be in \[0, 1\]"):
        flip(*no_boxes, probability=probability, seed=(0, 1))
