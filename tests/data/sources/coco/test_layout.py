"""COCO folders as tools leave them: Label Studio, CVAT, Roboflow, COCO's test images."""

import json

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.split_names import annotation_file, list_splits
from pix2seq_keras.errors import InputError

CATEGORIES = [{"id": 1, "name": "cat"}]


@pytest.fixture
def write(tmp_path, save_image):
    """A function that writes ten images and a JSON file that gives them names, and returns the source."""

    def write(json_name, image_name, file_name, **more):
        images = []
        for number in range(10):
            path = tmp_path / image_name.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_image(path)
            images.append({"id": number, "file_name": file_name.format(number)})
        objects = [{"id": n, "image_id": n, "category_id": 1, "bbox": [33, 4, 24, 10]} for n in range(10)]
        document = {"images": images, "annotations": objects, "categories": CATEGORIES} | more
        path = tmp_path / json_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
        return f"coco:{tmp_path}"

    return write


@pytest.mark.parametrize(
    ("json_name", "image_name", "file_name"),
    [
        ("result.json", "images/{}.png", "images/{}.png"),
        ("result.json", "images/{}.png", "{}.png"),
        ("labels.json", "{}.png", "{}.png"),
        ("_annotations.coco.json", "{}.png", "{}.png"),
        ("annotations/instances_default.json", "images/{}.png", "{}.png"),
        ("annotations/instances_default.json", "images/default/{}.png", "{}.png"),
        ("instances_default.json", "images/default/{}.png", "{}.png"),
    ],
)
def test_a_single_file_has_all_images_and_is_split_by_hash(write, json_name, image_name, file_name):
    source = write(json_name, image_name, file_name)

    whole = open_source(source, "all")

    assert whole.object_counts.tolist() == [1] * 10 and whole.issues.counts() == {}
    assert [len(open_source(source, split)) for split in ("train", "val", "train+valid")] == [8, 2, 10]
    assert list_splits(source) == ["train", "val"] and annotation_file(source, "val").endswith(json_name)
    with pytest.raises(InputError, match="must be one of 'all', 'train', 'val'"):
        open_source(source, "test")


def test_the_split_of_cvat_can_be_named(write):
    source = write("annotations/instances_default.json", "images/{}.png", "{}.png")

    assert len(open_source(source, "default[:3]")) == 3


def test_json_files_of_several_splits_may_be_beside_the_images(write):
    source = write("train.json", "images/{}.png", "{}.png")
    write("val.json", "images/{}.png", "{}.png")

    assert list_splits(source) == ["train", "val"] and len(open_source(source, "val")) == 10


def test_a_file_without_annotations_is_opened_but_not_for_training(write):
    source = write("annotations/image_info_test.json", "test/{}.png", "{}.png", annotations=None)

    opened = open_source(source, "test")

    assert len(opened) == 10 and opened.issues.counts()["no annotations"] == 1
    assert "instances" not in opened.issues.summary() and 'has no "annotations"' in opened.issues.summary()
    with pytest.raises(InputError, match="at least one usable object"):
        opened.require_annotated()


def test_nothing_outside_the_folder_is_opened(write, tmp_path, save_image):
    source = write("set/result.json", "set/images/{}.png", "../secret{}.png") + "/set"
    for number in range(10):
        save_image(tmp_path / f"secret{number}.png")

    with pytest.raises(InputError, match="None of the 10 images"):
        open_source(source, "all")
