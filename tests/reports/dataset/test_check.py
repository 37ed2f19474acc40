"""The report on data: statistics, every issue, and near-duplicates."""

import json

import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.reports import check_source


@pytest.fixture(scope="module")
def report(data_with_issues):
    return check_source(f"coco:{data_with_issues}")


def test_every_issue_is_reported_with_its_record_and_file(report, data_with_issues):
    issues = report.to_dict()["splits"]["train"]["issues"]

    kinds = {issue["kind"]: issue for issue in issues}
    assert set(kinds) == {"box without area", "unknown category", "missing image", "unreadable image"}
    assert kinds["box without area"]["where"] == "annotations[0] (id 1)"
    assert kinds["unknown category"]["where"] == "annotations[4] (id 5)"
    assert "gone.png" in kinds["missing image"]["where"]
    assert kinds["unreadable image"]["where"].endswith("3.png")
    assert {issue["file"] for issue in issues} == {str(data_with_issues / "annotations" / "instances_train.json")}
    assert report.to_dict()["splits"]["val"]["issues"] == []
    assert report.num_issues == 5  # with the near-duplicate


def test_statistics_are_of_the_images_that_can_be_read(report):
    train = report.splits[0].statistics

    assert (train["images"], train["images_with_objects"], train["objects"]) == (5, 5, 5 * 3 - 2)
    assert train["image_sizes"] == [{"width": 96, "height": 80, "images": 5}]
    assert train["objects_per_image"] == {"mean": 2.6, "median": 3.0, "max": 3, "histogram": [0, 0, 2, 3]}
    assert sum(row["objects"] for row in train["classes"]) == 13
    assert [row["id"] for row in train["classes"]] == [1, 5, 9]


def test_a_near_duplicate_in_another_split_is_found_and_no_other(report):
    values = report.to_dict()

    ((one, other),) = values["near_duplicates"]
    assert (one["split"], one["index"], other["split"], other["index"]) == ("train", 5, "val", 2)
    assert one["label"].endswith("train/5.png")
    assert [issue["kind"] for issue in values["issues"]] == ["near-duplicate images between splits"]


def test_the_report_can_be_serialised_to_json(report):
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert report.blocking_issue() is None and report.to_dict()["usable"]


def test_images_with_more_than_max_objects_are_reported(one_image):
    folder = one_image([(10 * k, 5, 8, 8) for k in range(7)])

    report = check_source(f"coco:{folder}", max_objects=5)

    expected = {"max_objects": 5, "longest_tokens": 35, "images_over_limit": 1, "objects_over_limit": 2}
    assert report.splits[0].statistics["sequences"] == expected
    assert [issue.kind for issue in report.splits[0].issues] == ["more objects than max_objects"]
    assert "max_objects 7" in report.splits[0].issues[0].message
    assert not check_source(f"coco:{folder}", max_objects=7).num_issues


def test_a_split_that_cannot_be_opened_is_reported_and_the_others_are_checked(one_image):
    folder = one_image([(0, 0, 9, 9)])
    (folder / "annotations" / "instances_val.json").write_text("{")
    (folder / "val").mkdir()

    report = check_source(f"coco:{folder}")

    assert [split.name for split in report.splits] == ["train"]
    assert "is not JSON" in report.unopened_splits["val"]
    assert report.blocking_issue() is None and report.num_issues == 1
    with pytest.raises(InputError, match="is not JSON"):
        check_source(f"coco:{folder}", ["train", "val"])


def test_a_source_without_objects_in_the_training_split_is_not_usable(one_image, data_with_issues):
    empty = one_image([])

    assert "usable object" in check_source(f"coco:{empty}").blocking_issue()
    (empty / "annotations" / "instances_train.json").write_text("")
    with pytest.raises(InputError, match="is empty"):
        check_source(f"coco:{empty}")


def test_splits_of_the_same_files_report_their_common_issues_once(data_with_issues):
    source = f"coco:{data_with_issues / 'annotations' / 'instances_train.json'}+{data_with_issues / 'train'}"

    report = check_source(source)

    kinds = [issue.kind for split in report.splits for issue in split.issues]
    assert kinds.count("box without area") == 1 and kinds.count("split by file hash") == 2
    assert {split.name for split in report.splits} == {"train", "val"}


def test_images_that_a_mixture_repeats_are_not_near_duplicates(data_with_issues):
    report = check_source(f"mix:5*[coco:{data_with_issues}]+1*[coco:{data_with_issues}]{{train=val}}", ["train"])

    assert len(report.splits[0].images) > 8
    ((first, *rest),) = report.duplicates  # only the real one
    assert first.label.endswith("5.png") and len(rest) == 1


def test_the_blood_cells_have_a_near_duplicate_in_both_splits(bccd_dir):
    report = check_source(f"coco:{bccd_dir}", ["train", "val"])

    names = [{image.label.rpartition("_")[2] for image in group} for group in report.duplicates]
    assert names == [{"00037.jpg", "00038.jpg"}]  # two photographs of the same field
    assert report.splits[0].statistics["objects"] == 2804


def test_only_objects_of_classes_that_train_lacks_are_an_issue(write_rectangles, edit_annotations, tmp_path):
    folder = write_rectangles(tmp_path / "coco", {"train": 2, "val": 2})
    other_order = lambda document: document["categories"].append({"id": 0, "name": "unused"})
    edit_annotations(folder, "val", other_order)
    harmless = check_source(f"coco:{folder}")
    edit_annotations(folder, "val", lambda document: document["categories"][0].update(name="crimson"))
    different = check_source(f"coco:{folder}")

    assert harmless.blocking_issue() is None and harmless.issues == []
    assert [issue.kind for issue in different.issues] == ["splits with different classes"]
    assert "has objects of 'crimson', classes that 'train' lacks" in different.blocking_issue()
