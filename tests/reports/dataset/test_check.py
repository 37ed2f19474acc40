"""The report says what is there, and every fault that was put in."""

import json

import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.reports import check_source


@pytest.fixture(scope="module")
def report(faulty):
    return check_source(f"coco:{faulty}")


def test_every_fault_is_told_with_its_record_and_file(report, faulty):
    told = report.to_dict()["splits"]["train"]["issues"]

    kinds = {issue["kind"]: issue for issue in told}
    assert set(kinds) == {"box without area", "unknown category", "missing image", "unreadable image"}
    assert kinds["box without area"]["where"] == "annotations[0] (id 1)"
    assert kinds["unknown category"]["where"] == "annotations[4] (id 5)"
    assert "gone.png" in kinds["missing image"]["where"]
    assert kinds["unreadable image"]["where"].endswith("3.png")
    assert {issue["file"] for issue in told} == {str(faulty / "annotations" / "instances_train.json")}
    assert report.to_dict()["splits"]["val"]["issues"] == []
    assert report.num_issues == 5  # with the copy


def test_counts_are_of_the_images_that_can_be_read(report):
    train = report.splits[0].summary

    assert (train["images"], train["images_with_objects"], train["objects"]) == (5, 5, 5 * 3 - 2)
    assert train["image_sizes"] == [{"width": 96, "height": 80, "images": 5}]
    assert train["objects_per_image"] == {"mean": 2.6, "median": 3.0, "most": 3, "histogram": [0, 0, 2, 3]}
    assert sum(row["objects"] for row in train["classes"]) == 13
    assert [row["id"] for row in train["classes"]] == [1, 5, 9]


def test_a_copy_in_another_split_is_found_and_nothing_else(report):
    told = report.to_dict()

    ((one, other),) = told["near_duplicates"]
    assert (one["split"], one["index"], other["split"], other["index"]) == ("train", 5, "val", 2)
    assert one["label"].endswith("train/5.png")
    assert [issue["kind"] for issue in told["issues"]] == ["near-duplicate images between splits"]


def test_the_report_is_plain_values(report):
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert report.obstacle() is None and report.to_dict()["usable"]


def test_sizes_are_by_cocos_areas_and_crowds_apart(lone):
    boxes = [(0, 0, 31, 32), (0, 0, 32, 32), (0, 0, 96, 96), (0, 0, 97, 96), (0, 0, 99, 99, 1)]
    folder = lone(boxes, categories=("cell", "none"))

    summary = check_source(f"coco:{folder}").splits[0].summary

    assert summary["object_sizes"] == {"small": 1, "medium": 2, "large": 1}
    assert (summary["objects"], summary["crowds"]) == (4, 1)
    assert summary["classes"][0]["most_on_a_image"] == 4
    assert summary["classes"][1]["objects"] == 0


def test_sequences_longer_than_max_objects_are_told(lone):
    folder = lone([(10 * k, 5, 8, 8) for k in range(7)])

    report = check_source(f"coco:{folder}", max_objects=5)

    expected = {"max_objects": 5, "longest_tokens": 35, "images_beyond": 1, "objects_beyond": 2}
    assert report.splits[0].summary["sequences"] == expected
    assert [issue.kind for issue in report.splits[0].issues] == ["more objects than max_objects"]
    assert "max_objects 7" in report.splits[0].issues[0].message
    assert not check_source(f"coco:{folder}", max_objects=7).num_issues


def test_a_split_that_cannot_be_opened_is_told_and_the_others_are_looked_at(lone):
    folder = lone([(0, 0, 9, 9)])
    (folder / "annotations" / "instances_val.json").write_text("{")
    (folder / "val").mkdir()

    report = check_source(f"coco:{folder}")

    assert [split.name for split in report.splits] == ["train"]
    assert "is not JSON" in report.closed["val"]
    assert report.obstacle() is None and report.num_issues == 1
    with pytest.raises(InputError, match="is not JSON"):
        check_source(f"coco:{folder}", ["train", "val"])


def test_a_source_whose_training_split_has_no_objects_cannot_be_trained_on(lone, faulty):
    empty = lone([])

    assert "usable object" in check_source(f"coco:{empty}").obstacle()
    (empty / "annotations" / "instances_train.json").write_text("")
    with pytest.raises(InputError, match="is empty"):
        check_source(f"coco:{empty}")


def test_made_splits_tell_their_common_faults_once(faulty):
    source = f"coco:{faulty / 'annotations' / 'instances_train.json'}+{faulty / 'train'}"

    report = check_source(source)

    kinds = [issue.kind for split in report.splits for issue in split.issues]
    assert kinds.count("box without area") == 1 and kinds.count("split by file hash") == 2
    assert {split.name for split in report.splits} == {"train", "val"}


def test_a_mixture_that_repeats_images_has_no_duplicates_for_it(faulty):
    report = check_source(f"mix:5*[coco:{faulty}]+1*[coco:{faulty}]{{train=val}}", ["train"])

    assert len(report.splits[0].looks) > 8
    ((first, *rest),) = report.duplicates  # the copy alone
    assert first.label.endswith("5.png") and len(rest) == 1


def test_blood_cells_have_a_image_in_both_splits(bccd_dir):
    report = check_source(f"coco:{bccd_dir}", ["train", "val"])

    names = [{image.label.rpartition("_")[2] for image in group} for group in report.duplicates]
    assert names == [{"00037.jpg", "00038.jpg"}]  # the same field, photographed twice
    assert report.splits[0].summary["objects"] == 2804
