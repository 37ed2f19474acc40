"""YOLO data sets in the layouts of Ultralytics, Darknet and Roboflow."""

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)
ROW = "1 0.75 0.225 0.4 0.25\n"  # the white box of the images


STANDARD = {"images/train/a.png": None, "labels/train/a.txt": ROW, "images/train/b.png": None}


def test_normalised_centres_become_boxes(yolo):
    source = open_source(yolo(STANDARD, train="images/train"), "train")

    example = source.read(0)

    np.testing.assert_allclose(example["boxes"], [REL], atol=1e-7)
    assert example["classes"].tolist() == [1] and example["area"].tolist() == pytest.approx([240], rel=1e-5)
    assert source.categories.ids == (0, 1) and source.categories.names == ("dog", "cat")
    assert source.image_ids.tolist() == [1, 2]


def test_empty_and_missing_label_files_are_images_without_objects_and_told_apart(yolo):
    files = STANDARD | {"images/train/c.png": None, "labels/train/c.txt": "\n  \n"}

    source = open_source(yolo(files, train="images/train"), "train")

    assert source.object_counts.tolist() == [1, 0, 0]
    assert source.issues.counts("note") == {
        "missing label file": 1,
        "empty label file": 1,
        "image without annotations": 2,
    }
    assert (
        "There is no 'labels/train/b.txt'" in source.issues.summary() and "c.txt' is empty" in source.issues.summary()
    )
    assert source.read(2)["boxes"].shape == (0, 4)


def test_labels_are_beside_images_outside_an_images_folder(yolo):
    files = {"train/a.png": None, "train/a.txt": ROW}

    assert open_source(yolo(files, train="train"), "train").object_counts.tolist() == [1]


def test_boxes_belong_to_the_upright_image(yolo):
    files = {"images/a.png": {"orientation": 6}, "labels/a.txt": "0 0.5 0.25 0.2 0.1\n"}

    source = open_source(yolo(files, train="images"), "train")
    example = source.read(0)

    assert example["image"].shape == (WIDTH, HEIGHT, 3) and source.sizes.tolist() == [[WIDTH, HEIGHT]]
    np.testing.assert_allclose(example["boxes"], [[0.2, 0.4, 0.3, 0.6]], atol=1e-7)
    assert source.issues.counts() == {"rotated by EXIF": 1}


def test_links_to_other_folders_are_not_followed(yolo, tmp_path, save_image):
    source = yolo(STANDARD, train="images/train", val="away")
    (tmp_path / "outside").mkdir()
    save_image(tmp_path / "outside" / "secret.png")
    (tmp_path / "outside" / "secret.txt").write_text(ROW)
    (tmp_path / "set" / "images" / "train" / "c.png").symlink_to(tmp_path / "outside" / "secret.png")
    (tmp_path / "set" / "labels" / "train" / "b.txt").symlink_to(tmp_path / "outside" / "secret.txt")
    (tmp_path / "set" / "away").symlink_to(tmp_path / "outside")

    opened = open_source(source, "train")

    assert len(opened) == 1
    assert opened.issues.counts() == {
        "image outside the folder": 1,
        "annotation file outside the folder": 1,
    }
    with pytest.raises(InputError, match="does not exist in"):
        open_source(source, "val")
