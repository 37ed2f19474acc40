"""The rows of YOLO's label files."""

import numpy as np

from pix2seq_keras.data import open_source

REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)
ROW = "1 0.75 0.225 0.4 0.25\n"  # the white box of the images
STANDARD = {"images/train/a.png": None, "labels/train/a.txt": ROW, "images/train/b.png": None}


def test_polygons_become_the_boxes_around_them_and_are_reported(yolo):
    polygon = "0 0.6 0.2 0.9 0.3 0.7 0.5 0.65 0.1\n"

    source = open_source(yolo(STANDARD | {"labels/train/a.txt": polygon}, train="images/train"), "train")

    np.testing.assert_allclose(source.read(0)["boxes"], [[0.1, 0.6, 0.5, 0.9]], atol=1e-7)
    assert source.issues.counts("note")["polygon converted to box"] == 1


def test_keypoints_after_a_box_are_ignored(yolo):
    row = ROW.strip() + " 0.1 0.2 2 0.3 0.4 2 0.9 0.9 0\n"

    source = open_source(yolo(STANDARD | {"labels/train/a.txt": row}, train="images/train", kpt_shape=[3, 3]), "train")

    np.testing.assert_allclose(source.read(0)["boxes"], [REL], atol=1e-7)


def test_only_defective_rows_are_left_out(yolo):
    rows = [
        ROW.strip(),
        "7 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 0.1",
        "0 0.5 0.5 0.1 0.1 0.9 0.9 0.9",
        "0 nan 0.5 0.1 0.1",
        "0.5 0.5 0.5 0.1 0.1",
        "dog 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 0 0.1",
        "0 3 0.5 0.1 0.1",
        "1.0 0.5 0.5 0.1 0.1",
    ]

    source = open_source(yolo(STANDARD | {"labels/train/a.txt": "\n".join(rows)}, train="images/train"), "train[:1]")

    assert source.read(0)["classes"].tolist() == [1, 1]
    assert source.issues.counts("problem") == {
        "unknown category": 1,
        "unusable annotation record": 4,
        "box with NaN": 1,
        "box without area": 1,
        "box outside the image": 1,
    }
    assert "labels/train/a.txt line 2" in source.issues.summary()


def test_a_confidence_in_the_sixth_column_is_ignored_with_a_note(yolo):
    files = STANDARD | {"labels/train/a.txt": f"{ROW.strip()} 0.875\n{ROW.strip()[:-1]}6 0.25\n"}

    source = open_source(yolo(files, train="images/train"), "train")

    np.testing.assert_allclose(source.read(0)["boxes"][0], REL, atol=1e-7)
    assert source.object_counts.tolist() == [2, 0] and source.issues.counts()["confidence ignored"] == 1
    assert source.issues.counts("problem") == {}
