"""Scale jitter and crop in one step equal the two steps, bit for bit."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.transforms import jitter_and_crop, random_crop, scale_jitter, to_float
from pix2seq_keras.errors import InputError

BOXES = np.array([[0.1, 0.2, 0.5, 0.9], [0.0, 0.0, 1.0, 1.0], [0.6, 0.7, 0.61, 0.71]], np.float32)


def both(canvas, min_scale, max_scale):
    """Functions of (image uint8, seed) for the two steps and the one step, traced once for images of any size."""
    signature = [tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((2,), tf.int32)]
    scales = {"min_scale": min_scale, "max_scale": max_scale}

    @tf.function(autograph=False, input_signature=signature)
    def two_steps(image, seed):
        image, boxes = scale_jitter(to_float(image), BOXES, canvas, **scales, seed=seed)
        return random_crop(image, boxes, canvas, seed=seed)

    @tf.function(autograph=False, input_signature=signature)
    def one_step(image, seed):
        return jitter_and_crop(image, BOXES, canvas, **scales, scale_seed=seed, crop_seed=seed)

    return two_steps, one_step


@pytest.mark.parametrize("canvas", [(64, 64), (40, 96), (90, 30)])
def test_it_equals_jitter_then_crop_bit_for_bit(canvas):
    two_steps, one_step = both(canvas, 0.3, 3.0)

    cropped = 0
    for case in range(80):
        rng = np.random.default_rng(case)
        height, width = rng.integers(1, 140, 2)
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        expected, found = two_steps(image, (case, 3)), one_step(image, (case, 3))
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        cropped += tuple(found[0].shape[:2]) == canvas

    assert 10 < cropped < 80  # both branches were taken


def test_float_images_pass():
    image = np.random.default_rng(0).random((50, 60, 3), np.float32)

    expected, _ = random_crop(*scale_jitter(image, BOXES, (32, 32), min_scale=2.0, seed=(0, 1)), (32, 32), seed=(0, 2))
    found, _ = jitter_and_crop(image, BOXES, (32, 32), min_scale=2.0, scale_seed=(0, 1), crop_seed=(0, 2))

    np.testing.assert_array_equal(found, expected)


def test_pixels_and_boxes_stay_aligned(rectangles):
    crop = lambda image, boxes, seed: jitter_and_crop(
        image, boxes, (64, 64), max_scale=3.0, scale_seed=seed, crop_seed=seed
    )
    transform = rectangles.graph(crop)

    compared = 0
    for case in range(200):
        image, boxes = transform(*rectangles.draw(case), (case, 5))
        compared += rectangles.check_alignment(image.numpy(), boxes)

    assert compared > 120


def test_impossible_scales_are_refused():
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(InputError, match="`min_scale` must be above 0 and at most `max_scale`"):
        jitter_and_crop(image, BOXES, (8, 8), min_scale=2.0, max_scale=1.0, scale_seed=(0, 0), crop_seed=(0, 0))
