"""Served ids and names of the classes."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Categories, InputError
from pix2seq_keras.exporting.labels import ServedLabels, categories_of

OBJECTS = {
    "boxes": tf.constant([[[0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]]),
    "classes": tf.constant([[2, 0, -1]]),
    "scores": tf.constant([[0.9, 0.5, 0.0]]),
    "num_detections": tf.constant([2]),
}


@pytest.fixture(scope="module")
def model(build_tiny_model):
    return build_tiny_model(categories=Categories((3, 5, 90), ("cell", "Ei", "größer")))


def test_classes_become_ids_and_names_and_unused_rows_are_empty(model):
    outputs = {name: values.numpy() for name, values in ServedLabels(model).outputs(OBJECTS).items()}

    assert outputs["detection_classes"].tolist() == [[90, 3, 0]]
    assert [name.decode() for name in outputs["detection_names"][0]] == ["größer", "cell", ""]
    np.testing.assert_array_equal(outputs["detection_boxes"], OBJECTS["boxes"])
    np.testing.assert_array_equal(outputs["detection_scores"], OBJECTS["scores"])
    assert outputs["num_detections"].tolist() == [2]
    assert all(values.dtype == np.float32 for name, values in outputs.items() if name != "detection_names")


def test_names_can_be_left_out(model):
    assert "detection_names" not in ServedLabels(model).outputs(OBJECTS, names=False)


def test_a_model_without_categories_numbers_its_classes(tiny_model):
    assert categories_of(tiny_model).names == ("class 0", "class 1", "class 2")


def test_ids_that_float32_cannot_represent_are_refused(build_tiny_model):
    model = build_tiny_model(categories=Categories((1, 2, 2**24 + 1), ("a", "b", "c")))

    with pytest.raises(InputError, match=r"2²⁴.*16777217"):
        ServedLabels(model)
