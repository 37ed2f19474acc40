import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras.data.transforms import scale_jitter
from pix2seq_keras.errors import InputError

CANVAS = (48, 80)


def test_pixels_and_boxes_stay_aligned(rectangles):
    jitter = rectangles.graph(lambda image, boxes, seed: scale_jitter(image, boxes, CANVAS, seed=seed))

    compared = 0
    for case in range(200):
        image, boxes = rectangles.draw(case)
        image, boxes = jitter(image, boxes, (case, 1))
        compared += rectangles.check_alignment(image.numpy(), boxes)

    assert compared > 150


def scaled_sizes(count, canvas, size, **options):
    """The sizes (count, 2) that images of one size get under `count` seeds."""

    @tf.function(autograph=False)
    def run():
        def one(index):
            image, _ = scale_jitter(tf.zeros(size), tf.zeros((0, 4)), canvas, seed=(index, 3), **options)
            return tf.shape(image)[:2]

        return tf.map_fn(one, tf.range(count))

    return run().numpy()


def test_the_scale_is_uniform_relative_to_the_canvas():
    canvas, image = (1000, 10), (100, 1, 3)

    scales = scaled_sizes(800, canvas, image)[:, 0] / 1000

    assert stats.kstest(scales, stats.uniform(0.3, 1.7).cdf).pvalue > 0.01
    assert 0.299 <= scales.min() < 0.31 and 1.99 < scales.max() <= 2.0


def test_the_scale_does_not_depend_on_the_size_of_the_image():
    small = scaled_sizes(20, (64, 64), (10, 10, 3))
    large = scaled_sizes(20, (64, 64), (300, 300, 3))

    assert np.abs(small - large).max() <= 1  # truncation of s·64 computed from another size


def test_the_aspect_ratio_is_kept_up_to_truncation():
    sizes = scaled_sizes(100, (64, 64), (20, 60, 3))

    height, width = sizes.T
    assert np.all(np.abs(width / 3 - height) <= 1)
    assert width.max() <= 2.0 * 64


def test_equal_scales_fit_the_canvas_exactly():
    sizes = scaled_sizes(3, (48, 80), (96, 96, 3), min_scale=1.0, max_scale=1.0)

    np.testing.assert_array_equal(sizes, [[48, 48]] * 3)


def test_a_very_long_image_keeps_at_least_one_pixel():
    sizes = scaled_sizes(5, (16, 16), (1, 400, 3))

    assert sizes.min() == 1


def test_the_resize_is_bilinear_without_antialias(rectangles):
    image, boxes = rectangles.draw(1)

    scaled, _ = scale_jitter(image, boxes, (16, 16), min_scale=1.0, max_scale=1.0, seed=(0, 0))

    plain = tf.image.resize(image, scaled.shape[:2], "bilinear", antialias=False)
    np.testing.assert_array_equal(scaled, plain)


def test_the_same_seed_gives_the_same_image_and_others_differ():
    sizes, again = scaled_sizes(30, (500, 5), (100, 1, 3)), scaled_sizes(30, (500, 5), (100, 1, 3))

    np.testing.assert_array_equal(sizes, again)
    assert len(np.unique(sizes[:, 0])) > 20


def test_images_without_boxes_pass(no_boxes):
    image, boxes = scale_jitter(*no_boxes, CANVAS, seed=(0, 1))

    assert boxes.shape == (0, 4)
    assert image.dtype == tf.float32


@pytest.mark.parametrize("scales", [(0.0, 1.0), (2.0, 1.0), (-1.0, 1.0)])
def test_impossible_scales_are_refused(no_boxes, scales):
    with pytest.raises(InputError, match="`min_scale` must be above 0 and at most `max_scale`"):
        scale_jitter(*no_boxes, CANVAS, min_scale=scales[0], max_scale=scales[1], seed=(0, 1))
