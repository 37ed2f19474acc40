import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.transforms import pad_to_canvas, rescale_boxes
from pix2seq_keras.errors import InputError


def test_pixels_and_boxes_stay_aligned(rectangles):
    def pad(image, boxes, seed):
        return pad_to_canvas(image, (120, 130)), rescale_boxes(boxes, tf.shape(image)[:2], (120, 130))

    pad = rectangles.graph(pad)

    for case in range(100):
        image, boxes = pad(*rectangles.draw(case), (0, 0))
        assert image.shape == (120, 130, 3)
        assert rectangles.check_alignment(image.numpy(), boxes)


def test_the_image_keeps_the_top_left_and_the_rest_is_grey():
    image = tf.random.stateless_uniform((3, 5, 3), (0, 0))

    padded = pad_to_canvas(image, (4, 8)).numpy()

    np.testing.assert_array_equal(padded[:3, :5], image)
    np.testing.assert_array_equal(padded[3:], np.float32(0.3))
    np.testing.assert_array_equal(padded[:, 5:], np.float32(0.3))


def test_boxes_change_frame_by_hand():
    boxes = tf.constant([[0.0, 0.0, 1.0, 1.0], [0.5, 0.25, 0.75, 0.5]])

    rescaled = rescale_boxes(boxes, (48, 64), (96, 80))

    np.testing.assert_allclose(rescaled, [[0, 0, 0.5, 0.8], [0.25, 0.2, 0.375, 0.4]], atol=1e-7)


def test_every_image_of_a_batch_may_have_its_own_size():
    boxes = tf.ones((2, 3, 4))
    sizes = tf.constant([[32, 64], [64, 16]])

    rescaled = rescale_boxes(boxes, sizes, (64, 64)).numpy()

    np.testing.assert_allclose(rescaled[0], [[0.5, 1, 0.5, 1]] * 3)
    np.testing.assert_allclose(rescaled[1], [[1, 0.25, 1, 0.25]] * 3)


def test_no_boxes_stay_no_boxes():
    assert rescale_boxes(tf.zeros((0, 4)), (3, 4), (5, 6)).shape == (0, 4)


def test_a_image_larger_than_the_canvas_is_refused_with_a_sentence():
    with pytest.raises(InputError, match=r"\(9, 4\).*canvas=\(8, 8\).*crop or resize"):
        pad_to_canvas(tf.zeros((9, 4, 3)), (8, 8))


def test_a_image_found_too_large_in_the_graph_is_refused_there():
    pad = tf.function(
        lambda image: pad_to_canvas(image, (8, 8)),
        input_signature=[tf.TensorSpec((None, None, 3), tf.float32)],
    )

    with pytest.raises(tf.errors.InvalidArgumentError, match="must fit the canvas"):
        pad(tf.zeros((4, 9, 3)))
