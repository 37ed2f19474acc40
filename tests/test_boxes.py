import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.boxes import (
    box_areas,
    boxes_from_canvas,
    boxes_from_pixels,
    boxes_to_canvas,
    boxes_to_pixels,
    flip_boxes,
    pairwise_iou,
    rescale_boxes,
    shift_boxes,
    transpose_boxes,
)

BOXES = np.float32([[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 1.0, 1.0]])


@pytest.fixture(params=["numpy", "tensorflow"])
def boxes(request):
    return BOXES if request.param == "numpy" else tf.constant(BOXES)


def test_flipped_boxes_equal_numbers_computed_by_hand(boxes):
    np.testing.assert_allclose(flip_boxes(boxes, horizontally=True)[0], [0.1, 0.4, 0.5, 0.8], atol=1e-6)
    np.testing.assert_allclose(flip_boxes(boxes, vertically=True)[0], [0.5, 0.2, 0.9, 0.6], atol=1e-6)
    np.testing.assert_allclose(flip_boxes(boxes, True, True)[0], [0.5, 0.4, 0.9, 0.8], atol=1e-6)
    np.testing.assert_array_equal(flip_boxes(boxes), BOXES)


def test_transposed_boxes_exchange_their_axes(boxes):
    np.testing.assert_array_equal(transpose_boxes(boxes), BOXES[:, [1, 0, 3, 2]])


def test_flips_and_transposes_return_the_kind_they_are_given(boxes):
    for changed in (flip_boxes(boxes, horizontally=True), transpose_boxes(boxes)):
        assert type(changed) is type(boxes)
        assert changed.dtype == boxes.dtype


def test_areas_of_boxes_with_edges_in_the_wrong_order_are_0():
    boxes = np.float32([[0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 0.0, 0.5], [0.5, 0.5, 0.0, 0.0]])

    np.testing.assert_array_equal(box_areas(boxes), [0.25, 0, 0])
    np.testing.assert_array_equal(box_areas(tf.constant(boxes)), [0.25, 0, 0])


def test_pairwise_iou_equals_numbers_computed_by_hand(boxes):
    others = np.float32([[0.0, 0.0, 0.5, 1.0], [0.1, 0.2, 0.5, 0.6], [0.3, 0.3, 0.3, 0.3]])
    others = others if isinstance(boxes, np.ndarray) else tf.constant(others)

    np.testing.assert_allclose(pairwise_iou(boxes, others), [[0.32, 1, 0], [0.5, 0.16, 0]], atol=1e-6)


def test_boxes_without_area_have_an_iou_of_0():
    point = np.zeros((1, 4), np.float32)

    np.testing.assert_array_equal(pairwise_iou(point, point), [[0]])


def test_boxes_are_rescaled_by_the_ratio_of_the_frames():
    boxes = tf.constant([[0.0, 0.0, 1.0, 1.0], [0.5, 0.25, 0.75, 0.5]])

    rescaled = rescale_boxes(boxes, (48, 64), (96, 80))

    np.testing.assert_allclose(rescaled, [[0, 0, 0.5, 0.8], [0.25, 0.2, 0.375, 0.4]], atol=1e-7)


def test_every_image_of_a_batch_may_have_a_size_of_its_own():
    boxes = tf.ones((2, 3, 4))
    sizes = tf.constant([[32, 64], [64, 16]])

    rescaled = rescale_boxes(boxes, sizes, (64, 64)).numpy()

    np.testing.assert_allclose(rescaled[0], [[0.5, 1, 0.5, 1]] * 3)
    np.testing.assert_allclose(rescaled[1], [[1, 0.25, 1, 0.25]] * 3)


def test_boxes_come_back_from_the_canvas():
    boxes = tf.random.stateless_uniform((7, 4), (1, 2))
    unpadded_size = tf.constant([37, 64])

    on_canvas = boxes_to_canvas(boxes, unpadded_size, (64, 64))
    back = boxes_from_canvas(on_canvas, unpadded_size, (64, 64))

    np.testing.assert_allclose(back, boxes, atol=1e-6)
    assert on_canvas.numpy()[:, 0::2].max() <= 37 / 64


def test_empty_boxes_keep_their_shape():
    none = tf.zeros((0, 4))

    assert rescale_boxes(none, (3, 4), (5, 6)).shape == (0, 4)
    assert boxes_from_canvas(none, (37, 64), (64, 64)).shape == (0, 4)
    assert flip_boxes(none, horizontally=True).shape == transpose_boxes(none).shape == (0, 4)
    assert pairwise_iou(none, tf.zeros((3, 4))).shape == (0, 3)


def test_pixels_and_shifts_equal_numbers_computed_by_hand():
    size = tf.constant([48, 64])

    pixels = boxes_to_pixels(tf.constant([[0.25, 0.5, 1.0, 1.0]]), size)

    np.testing.assert_array_equal(pixels, [[12, 32, 48, 64]])
    np.testing.assert_array_equal(shift_boxes(pixels, tf.constant([-2, 3])), [[10, 35, 46, 67]])
    np.testing.assert_array_equal(boxes_from_pixels(pixels, size), [[0.25, 0.5, 1.0, 1.0]])
