import colorsys

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.transforms import color_jitter
from pix2seq_keras.data.transforms.color import LUMA, adjust_color
from pix2seq_keras.errors import InputError


@pytest.fixture(scope="module")
def image():
    return tf.random.stateless_uniform((20, 30, 3), (3, 4), 0.3, 0.6)  # nothing is clipped


def test_pixels_stay_in_0_to_1():
    image = tf.random.stateless_uniform((20, 30, 3), (1, 1))

    jitter = tf.function(lambda seed: color_jitter(image, strength=2.0, seed=seed))
    outputs = [jitter(tf.constant((case, 0))).numpy() for case in range(50)]

    assert all(output.shape == (20, 30, 3) and output.dtype == np.float32 for output in outputs)
    assert min(output.min() for output in outputs) == 0 and max(output.max() for output in outputs) == 1


def test_strength_0_returns_the_image_unchanged(image):
    np.testing.assert_allclose(color_jitter(image, strength=0, seed=(1, 2)), image, atol=1e-6)


def test_the_same_seed_gives_the_same_image_and_others_differ(image):
    first, second, other = (color_jitter(image, seed=(5, seed)).numpy() for seed in (0, 0, 1))

    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0.01


def test_brightness_multiplies(image):
    np.testing.assert_allclose(adjust_color(image, brightness=1.3), image * 1.3, atol=1e-5)


def test_contrast_pulls_towards_the_mean_luma(image):
    mean = (image.numpy() @ LUMA).mean()

    adjusted = adjust_color(image, contrast=0.5)

    np.testing.assert_allclose(adjusted, mean + 0.5 * (image - mean), atol=1e-5)


def test_saturation_pulls_towards_the_luma_of_each_pixel(image):
    luma = (image.numpy() @ LUMA)[..., None]

    np.testing.assert_allclose(adjust_color(image, saturation=0.0), np.tile(luma, 3), atol=1e-5)
    np.testing.assert_allclose(adjust_color(image, saturation=1.2), luma + 1.2 * (image - luma), atol=1e-5)


def test_hue_rotates_colours_and_keeps_grey_and_luma(image):
    red_pixel = tf.reshape(tf.constant([0.6, 0.4, 0.4]), (1, 1, 3))

    before = colorsys.rgb_to_hsv(*red_pixel.numpy().ravel())[0]
    after = colorsys.rgb_to_hsv(*adjust_color(red_pixel, hue=1 / 3).numpy().ravel())[0]
    grey = adjust_color(tf.fill((2, 2, 3), 0.5), hue=0.4)
    rotated = adjust_color(image, hue=0.05).numpy()

    assert before == 0 and abs(after - 1 / 3) < 0.06  # red becomes green, as in HSV
    np.testing.assert_allclose(grey, 0.5, atol=1e-5)
    np.testing.assert_allclose(rotated @ LUMA, image.numpy() @ LUMA, atol=1e-5)
    assert np.abs(rotated - image).max() > 0.01


def test_changes_compose_in_the_documented_order(image):
    step_by_step = adjust_color(image, brightness=1.1)
    step_by_step = adjust_color(step_by_step, contrast=0.8)
    step_by_step = adjust_color(step_by_step, saturation=0.7)
    step_by_step = adjust_color(step_by_step, hue=0.03)

    np.testing.assert_allclose(adjust_color(image, 1.1, 0.8, 0.7, 0.03), step_by_step, atol=1e-5)


def test_the_pixels_of_objects_stay_where_they_are(rectangles):
    for case in range(30):
        image, _ = rectangles.draw(case)
        jittered = color_jitter(image, strength=0.5, brightness=0, seed=(case, 0)).numpy()
        assert jittered.shape == image.shape
        # Two colours go in and two come out, in the same places.
        change = np.abs(np.diff(jittered, axis=1)).max(-1) > 0.05
        np.testing.assert_array_equal(change, np.abs(np.diff(image, axis=1)).max(-1) > 0.05)


def test_a_negative_amount_is_refused(image):
    with pytest.raises(InputError, match="hue=-1"):
        color_jitter(image, hue=-1, seed=(0, 0))
