"""Exact duplicates of an object are dropped and noted in every format."""

import json

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.objects import first_of_equal


def coco(folder, boxes):
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": c + 1, "bbox": [x, y, 10, 10], "iscrowd": crowd}
            for i, (c, x, y, crowd) in enumerate(boxes, 1)
        ],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    }
    (folder / "a.json").write_text(json.dumps(document))
    return f"coco:{folder}/a.json+{folder}"


def voc(folder, boxes):
    objects = "".join(
        f"<object><name>{'ab'[c]}</name><difficult>{crowd}</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>"
        f"<xmax>{x + 10}</xmax><ymax>{y + 10}</ymax></bndbox></object>"
        for c, x, y, crowd in boxes
    )
    (folder / "a.xml").write_text(f"<annotation>{objects}</annotation>")
    return f"voc:{folder}"


def yolo(folder, boxes):
    rows = [f"{c} {(x + 5) / 60:.4f} {(y + 5) / 40:.4f} {10 / 60:.4f} 0.25\n" for c, x, y, crowd in boxes if not crowd]
    (folder / "a.txt").write_text("".join(rows))
    (folder / "data.yaml").write_text("all: .\nnames: [a, b]")
    return f"yolo:{folder}/data.yaml"


@pytest.mark.parametrize("write", [coco, voc, yolo])
def test_an_exact_duplicate_is_dropped_and_noted(write, tmp_path, save_image):
    save_image(tmp_path / "a.png")
    boxes = [(0, 3, 4, 0), (1, 3, 4, 0), (0, 3, 4, 0), (0, 3, 4, 1), (0, 3, 5, 0), (0, 3, 4, 0)]

    source = open_source(write(tmp_path, boxes), "all")

    objects = source.objects(0)
    assert source.object_counts.tolist() == [3] and objects["classes"][~objects["is_crowd"]].tolist() == [0, 1, 0]
    assert source.issues.counts() == {"duplicate box": 2} and not source.issues.counts("problem")
    assert "the same class has the same box; dropped" in next(iter(source.issues)).message


def test_the_first_of_equal_objects_of_an_image_is_kept():
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [-0.0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0.5, 1]])

    kept = first_of_equal(
        boxes, np.array([1, 1, 1, 2, 1, 1]), np.array([0, 0, 0, 0, 1, 0]), np.array([7, 3, 7, 7, 7, 7])
    )

    assert kept.tolist() == [True, True, False, True, True, True]
    assert first_of_equal(np.zeros((0, 4)), np.zeros(0), np.zeros(0)).shape == (0,)
