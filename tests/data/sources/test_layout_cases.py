"""Small inputs in the manner of public bug reports about layouts: they open as they are."""

import os
from pathlib import Path

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.class_matching import unknown_classes
from pix2seq_keras.data.split_names import list_splits
from pix2seq_keras.reports import check_source

CASES = Path(os.environ.get("PIX2SEQ_SHARED", Path(__file__).parents[4] / "shared")) / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"the cases are not in {CASES}")


@pytest.mark.parametrize(
    ("source", "split", "objects", "issues"),
    [
        ("coco:coco_val_other_order", "train", [1, 1, 1, 1], {}),
        ("coco:coco_val_other_order", "validation", [1, 1, 1, 1], {}),
        ("coco:ls_coco_zip", "all", [1, 1], {}),
        (
            "yolo:yolo_orphans/data.yaml",
            "train",
            [0, 0, 1],
            {"annotation file without an image": 2, "missing label file": 2, "image without annotations": 2},
        ),
        ("voc:voc_scan_list", "train", [1, 1, 1, 1], {}),
    ],
)
def test_an_awkward_layout_is_opened(monkeypatch, source, split, objects, issues):
    monkeypatch.chdir(CASES)

    opened = open_source(source, split)

    assert opened.object_counts.tolist() == objects and opened.issues.counts() == issues
    assert all(opened.read(index)["image"].any() for index in range(len(opened)))
    assert set(list_splits(source)) >= {"train"}


def test_the_parts_of_a_single_file_have_all_its_images(monkeypatch):
    monkeypatch.chdir(CASES)

    whole, train, val = (open_source("coco:ls_coco_zip", split) for split in ("all", "train", "val"))

    assert whole.image_ids.tolist() == [1, 2]
    assert sorted([*train.image_ids, *val.image_ids]) == [1, 2] and len(train) == len(val) == 1


def test_every_unused_label_file_is_named(monkeypatch):
    monkeypatch.chdir(CASES)

    summary = open_source("yolo:yolo_orphans/data.yaml", "train").issues.summary()

    assert "labels/train_labels/a.txt" in summary and "labels/train_labels/b.txt" in summary


def test_data_check_and_train_agree_on_classes_in_another_order(monkeypatch):
    monkeypatch.chdir(CASES)
    train, val = (open_source("coco:coco_val_other_order", split) for split in ("train", "val"))

    report = check_source("coco:coco_val_other_order")

    assert train.categories != val.categories and unknown_classes(val, train.categories.names) == []
    both = open_source("coco:coco_val_other_order", "train+val")
    assert both.categories == train.categories and both.objects(4)["classes"].tolist() == [0]  # a cat, as in train
    assert report.blocking_issue() is None
    assert "splits with different classes" not in [issue.kind for issue in report.issues]
