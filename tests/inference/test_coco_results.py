"""Detections in COCO's results format, and the conversion of boxes to pixels."""

import json

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.inference.coco_results import boxes_in_pixels, coco_results


def test_results_have_dataset_ids_and_boxes_in_pixels():
    detections = {
        "boxes": np.array([[0.1, 0.2, 0.5, 0.6], [0.1, 0.0, 0.4, 0.3]], np.float32),
        "classes": np.array([1, -1]),
        "scores": np.array([0.75, 0.0], np.float32),
    }

    rows = coco_results(12, (200, 100), detections, Categories(ids=(5, 90), names=("a", "b")))

    assert len(rows) == 1
    assert (rows[0]["image_id"], rows[0]["category_id"], rows[0]["score"]) == (12, 90, 0.75)
    assert rows[0]["bbox"] == pytest.approx([20, 20, 40, 80], abs=1e-3)
    json.dumps(rows)


def test_an_image_without_detections_has_no_results():
    nothing = {"boxes": np.zeros((0, 4)), "classes": np.zeros(0, int), "scores": np.zeros(0)}

    assert coco_results(1, (200, 100), nothing, Categories(ids=(5,), names=("a",))) == []


def test_keras_cv_gives_the_pixels_of_float64_arithmetic():
    rng = np.random.default_rng(0)
    boxes = rng.uniform(-0.1, 1.1, (500, 4)).astype(np.float32)  # some have their edges in the wrong order
    sizes = rng.integers(1, 3000, (500, 2))  # every box has its own image size

    pixels = boxes_in_pixels(boxes, sizes)

    ymin, xmin, ymax, xmax = (boxes.astype(np.float64) * np.concatenate([sizes, sizes], axis=-1)).T
    expected = np.stack([xmin, ymin, np.maximum(xmax - xmin, 0), np.maximum(ymax - ymin, 0)], axis=-1)
    assert pixels.dtype == np.float64
    np.testing.assert_array_equal(pixels, expected)
