"""Records without a box get that of their segmentation."""

import numpy as np
import pytest
from pycocotools import mask

from pix2seq_keras.data.sources.coco.segmentation import MaskBox, PolygonBox, box_of_segmentation, without_segmentation


@pytest.mark.parametrize(
    "polygons",
    [
        [[10, 12, 30, 12, 30, 25, 10, 25]],
        [[10, 12, 20, 12, 20, 20], [15, 25, 30, 18, 30, 25]],
        [10, 12, 30, 25],
        [[[10, 12], [30, 25]]],
    ],
)
def test_polygons_give_the_box_around_all_of_them(polygons):
    assert box_of_segmentation(polygons) == [10, 12, 20, 13]


@pytest.mark.parametrize("compressed", [True, False])
def test_run_lengths_give_the_box_of_pycocotools(compressed):
    rng = np.random.default_rng(0)
    for density in np.repeat([0.01, 0.1, 0.9], 50):
        height, width = rng.integers(2, 40, 2)
        pixels = rng.random((height, width)) < density
        pixels[: rng.integers(0, height), : rng.integers(0, width)] = False
        encoded = mask.encode(np.asfortranarray(pixels, np.uint8))
        counts = encoded["counts"].decode()
        if not compressed:
            column_by_column = np.concatenate([[False], pixels.flatten(order="F"), [True]])
            counts = np.diff(np.flatnonzero(np.diff(column_by_column)), prepend=0).tolist()
            counts += [int(pixels.size) - sum(counts)]

        box = box_of_segmentation({"size": [int(height), int(width)], "counts": counts})

        assert box == (mask.toBbox(encoded).tolist() if pixels.any() else None)


@pytest.mark.parametrize(
    "segmentation",
    [
        [],
        [[]],
        [[1, 2, 3]],
        [[1, 2, 3], [4, 5, 6]],
        [[1, 2, "3", 4]],
        [[1, 2, float("nan"), 4]],
        [[[[[1, 2, 3, 4]]]]],
        {"size": [10, 10]},
        {"size": [10], "counts": [1, 2]},
        {"size": [10, -1], "counts": [1, 2]},
        {"size": [2**40, 2**40], "counts": [1, 2]},
        {"size": [10, 10], "counts": [50, 51]},
        {"size": [10, 10], "counts": [2**62, 2**62, 2**62]},
        {"size": [10, 10], "counts": [-1, 5]},
        {"size": [10, 10], "counts": [1, True]},
        {"size": [10, 10], "counts": [100]},
        {"size": [10, 10], "counts": "o" * 50},  # a number without an end
        {"size": [10, 10], "counts": "1o"},
        {"size": [10, 10], "counts": "猫"},
        {"size": [10, 10], "counts": ""},
        "text",
    ],
)
def test_unusable_segmentations_have_no_box(segmentation):
    assert box_of_segmentation(segmentation) is None


def test_a_segmentation_is_dropped_where_there_is_a_box():
    polygon = [[1, 2, 5, 2, 5, 9]]

    assert without_segmentation({"bbox": [0, 0, 1, 1], "segmentation": polygon}) == {"bbox": [0, 0, 1, 1]}
    for bbox in ({}, {"bbox": None}, {"bbox": []}, {"bbox": [0, 0, 0, 0]}):
        assert type(without_segmentation({**bbox, "segmentation": polygon})["bbox"]) is PolygonBox
    one = {"size": [4, 4], "counts": [5, 2, 9]}
    assert type(without_segmentation({"segmentation": one})["bbox"]) is MaskBox
