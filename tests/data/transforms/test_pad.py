import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.boxes import rescale_boxes
from pix2seq_keras.data.transforms import pad_to_canvas
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


def test_an_image_larger_than_the_canvas_is_refused():
    with pytest.raises(InputError, match=r"\(9, 4\).*canvas=\(8, 8\).*Crop or resize"):
        pad_to_canvas(tf.zeros((9, 4, 3)), (8, 8))


def test_an_image_found_too_large_in_the_graph_is_refused_there():
    pad = tf.function(
        lambda image: pad_to_canvas(image, (8, 8)),
        input_signature=[tf.TensorSpec((None, None, 3), tf.float32)],
    )

    with pytest.raises(tf.errors.InvalidArgumentError, match="must fit the canvas"):
        pad(tf.zeros((4, 9, 3)))
