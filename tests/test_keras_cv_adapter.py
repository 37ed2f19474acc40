import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.keras_cv_adapter import FORMATS, clip_boxes, convert_boxes, make_csp_darknet

# One box of an image 50 high and 200 wide: rows 10…30, columns 40…100, in every format, by hand.
ONE_BOX = {
    "xyxy": [40, 10, 100, 30],
    "yxyx": [10, 40, 30, 100],
    "xywh": [40, 10, 60, 20],
    "center_xywh": [70, 20, 60, 20],
    "center_yxhw": [20, 70, 20, 60],
    "rel_xyxy": [0.2, 0.2, 0.5, 0.6],
    "rel_yxyx": [0.2, 0.2, 0.6, 0.5],
    "rel_xywh": [0.2, 0.2, 0.3, 0.4],
}


@pytest.mark.parametrize("source", FORMATS)
def test_every_conversion_equals_numbers_computed_by_hand(source):
    for target in FORMATS:
        converted = convert_boxes([ONE_BOX[source]], source, target, image_shape=(50, 200))

        assert converted.dtype == tf.float32
        np.testing.assert_allclose(converted, [ONE_BOX[target]], rtol=1e-6, err_msg=f"{source} to {target}")


def test_conversion_within_one_frame_needs_no_image_shape():
    np.testing.assert_allclose(convert_boxes([ONE_BOX["xywh"]], "xywh", "yxyx"), [ONE_BOX["yxyx"]])
    np.testing.assert_allclose(convert_boxes([ONE_BOX["rel_xyxy"]], "rel_xyxy", "rel_yxyx"), [ONE_BOX["rel_yxyx"]])


def test_float64_boxes_keep_their_precision():
    boxes = np.float64([[0.1, 0.2, 0.7, 0.9]])

    converted = convert_boxes(boxes, "rel_yxyx", "xywh", image_shape=(427, 640), dtype="float64")

    expected = [[0.2 * 640, 0.1 * 427, 0.9 * 640 - 0.2 * 640, 0.7 * 427 - 0.1 * 427]]
    np.testing.assert_array_equal(converted, np.float64(expected))


def test_batches_and_empty_sets_keep_their_shapes():
    batch = convert_boxes(tf.zeros((2, 3, 4)), "xywh", "rel_yxyx", image_shape=(5, 6, 3))
    empty = convert_boxes(tf.zeros((0, 4)), "xywh", "rel_yxyx", image_shape=(5, 6))

    assert batch.shape == (2, 3, 4)
    assert empty.shape == (0, 4)


def test_conversion_and_clipping_run_in_a_dataset_with_dynamic_sizes():
    boxes = tf.constant([ONE_BOX["xywh"], [190, 40, 20, 20]], tf.float32)
    dataset = tf.data.Dataset.from_tensors({"boxes": boxes, "size": tf.constant([50, 200])})

    def prepare(example):
        boxes = convert_boxes(example["boxes"], "xywh", "rel_yxyx", image_shape=example["size"])
        return clip_boxes(boxes, [3, 4])

    boxes, classes = next(iter(dataset.map(prepare)))

    np.testing.assert_allclose(boxes, [ONE_BOX["rel_yxyx"], [0.8, 0.95, 1, 1]], atol=1e-6)
    np.testing.assert_array_equal(classes, [3, 4])


def test_clipping_cuts_boxes_and_turns_those_without_area_into_padding():
    boxes = [[-0.5, 0.2, 0.5, 1.2], [1.1, 0.0, 1.5, 1.0], [0.1, 0.1, float("nan"), 0.5], [0.0, 0.0, 1.0, 1.0]]

    clipped, classes = clip_boxes(boxes, [5, 6, 7, 0])

    np.testing.assert_allclose(clipped, [[0, 0.2, 0.5, 1], [-1] * 4, [-1] * 4, [0, 0, 1, 1]])
    np.testing.assert_array_equal(classes, [5, -1, -1, 0])
    assert classes.dtype == tf.int32


def test_clipping_in_pixels_uses_the_image_shape():
    clipped, classes = clip_boxes([[-5, 10, 300, 60]], [1], "xyxy", image_shape=(50, 200))

    np.testing.assert_allclose(clipped, [[0, 10, 200, 50]], rtol=1e-6)
    np.testing.assert_array_equal(classes, [1])


def test_missing_image_shapes_and_unknown_formats_are_refused():
    with pytest.raises(InputError, match=r"Pass \(height, width\)"):
        convert_boxes([[0, 0, 1, 1]], "xywh", "rel_yxyx")
    with pytest.raises(InputError, match=r"must be one of xyxy.*Received: 'coco'"):
        convert_boxes([[0, 0, 1, 1]], "coco", "rel_yxyx")
    with pytest.raises(InputError, match=r"Pass \(height, width\)"):
        clip_boxes([[0, 0, 1, 1]], [0], "xywh")


def test_importing_the_adapter_does_not_import_keras_cv():
    program = "import sys, pix2seq_keras.keras_cv_adapter; sys.exit('keras_cv' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_csp_darknet_has_random_weights_and_takes_images_of_any_size():
    model = make_csp_darknet((8, 12, 16, 24), (1, 1, 1, 1))

    assert model(np.ones((1, 64, 96, 3), "float32")).shape == (1, 2, 3, 24)
