"""The splits of every form of source."""

import pytest

from pix2seq_keras.data.split_names import annotation_file, list_splits
from pix2seq_keras.errors import InputError


def touch(*paths, text=""):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_coco_folders_have_the_splits_of_their_instances(tmp_path):
    names = ["instances_val2017", "instances_train2017", "captions_train2017", "person_keypoints_val2017"]
    touch(*(tmp_path / "annotations" / f"{name}.json" for name in names))

    assert list_splits(f"coco:{tmp_path}") == ["train2017", "val2017"]
    assert annotation_file(f"coco:{tmp_path}", "val2017[:50%]").endswith("instances_val2017.json")


def test_coco_splits_of_plain_names_and_of_roboflow_are_found(tmp_path):
    touch(tmp_path / "a" / "annotations" / "test.json", tmp_path / "a" / "annotations" / "train.json")
    touch(tmp_path / "b" / "valid" / "_annotations.coco.json", tmp_path / "b" / "train" / "_annotations.coco.json")

    assert list_splits(f"coco:{tmp_path / 'a'}") == ["train", "test"]
    assert list_splits(f"coco:{tmp_path / 'b'}") == ["train", "valid"]


def test_a_single_coco_file_is_split_by_hash(tmp_path):
    assert list_splits(f"coco:labels.json+{tmp_path}") == ["train", "val"]
    assert annotation_file(f"coco:labels.json+{tmp_path}", "train") == "labels.json"


def test_voc_splits_are_listed_without_class_lists_and_trainval(tmp_path):
    for name in ("train", "val", "trainval", "cat_train", "cat_val", "cat_trainval"):
        touch(tmp_path / "ImageSets" / "Main" / f"{name}.txt")
    touch(tmp_path / "Annotations" / "a.xml", tmp_path / "JPEGImages" / "a.jpg")

    assert list_splits(f"voc:{tmp_path}") == ["train", "val"]
    assert list_splits(f"voc:{tmp_path}?difficult=keep") == ["train", "val"]


def test_voc_folders_of_any_name_are_found_and_others_split_by_hash(tmp_path):
    touch(tmp_path / "a" / "night" / "x.xml", tmp_path / "a" / "day" / "y.xml", tmp_path / "b" / "x.xml")

    assert list_splits(f"voc:{tmp_path / 'a'}") == ["day", "night"]
    assert list_splits(f"voc:{tmp_path / 'b'}") == ["train", "val"]


def test_yolo_splits_are_those_of_the_file(tmp_path):
    touch(tmp_path / "data.yaml", text="val: images/v\ntrain: images/t\ntest:\nnc: 1\nnames: [cell]\n")

    assert list_splits(f"yolo:{tmp_path / 'data.yaml'}") == ["train", "val"]


def test_a_mixture_has_the_splits_that_all_its_data_sets_have(tmp_path):
    for folder, names in (("a", ("train", "val", "test")), ("b", ("train2017", "val"))):
        touch(*(tmp_path / folder / "annotations" / f"instances_{name}.json" for name in names))

    both = f"mix:[coco:{tmp_path / 'a'}]+[coco:{tmp_path / 'b'}]"
    assert list_splits(both) == ["val"]
    assert list_splits(both + "{train=train2017}") == ["train", "val"]


def test_digits_have_three_splits_and_unknown_forms_are_refused():
    assert list_splits("digits:64") == ["train", "val", "test"]
    with pytest.raises(InputError, match="must be one of coco:DIR"):
        list_splits("csv:table.csv")
    with pytest.raises(InputError, match="must be one of coco:DIR"):
        list_splits("coco:")


def test_missing_folders_are_reported_when_opened(tmp_path):
    for source in (f"coco:{tmp_path / 'none'}", f"voc:{tmp_path / 'none'}", f"tfrecord:{tmp_path / 'none'}"):
        assert list_splits(source) == ["train"]
