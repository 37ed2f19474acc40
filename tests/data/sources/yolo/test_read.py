"""YOLO data sets in the layouts of Ultralytics, Darknet and Roboflow."""

import numpy as np
import pytest
import yaml

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)
ROW = "1 0.75 0.225 0.4 0.25\n"  # the white box of the images


@pytest.fixture
def yolo(tmp_path, save_image):
    """A function that writes images, label files and data.yaml, and returns the source."""

    def write(files, **document):
        for name, text in files.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".png"):
                save_image(path, **(text or {}))
            else:
                path.write_text(text)
        (tmp_path / "set" / "data.yaml").write_text(yaml.safe_dump({"names": ["dog", "cat"], **document}))
        return f"yolo:{tmp_path}/set/data.yaml"

    return write


STANDARD = {"images/train/a.png": None, "labels/train/a.txt": ROW, "images/train/b.png": None}


def test_normalised_centres_become_boxes(yolo):
    source = open_source(yolo(STANDARD, train="images/train"), "train")

    example = source.read(0)

    np.testing.assert_allclose(example["boxes"], [REL], atol=1e-7)
    assert example["classes"].tolist() == [1] and example["area"].tolist() == pytest.approx([240], rel=1e-5)
    assert source.categories.ids == (0, 1) and source.categories.names == ("dog", "cat")
    assert source.image_ids.tolist() == [1, 2]


def test_empty_and_missing_label_files_are_images_without_objects(yolo):
    files = STANDARD | {"images/train/c.png": None, "labels/train/c.txt": "\n  \n"}

    source = open_source(yolo(files, train="images/train"), "train")

    assert source.object_counts.tolist() == [1, 0, 0]
    assert source.issues.counts() == {"image without annotations": 2}
    assert source.read(2)["boxes"].shape == (0, 4)


@pytest.mark.parametrize(
    "document",
    [
        {"train": "images/train"},
        {"train": "./images/train/"},
        {"path": ".", "train": "images/train"},
        {"path": "../set", "train": "images/train"},
        {"path": "../datasets/set", "train": "images/train"},
        {"path": "/nowhere/set", "train": "images/train"},
        {"train": "../images/train"},
        {"train": ["images/train"]},
        {"train": "train.txt"},
        {"path": "images", "train": "train"},
        {"names": {0: "dog", 1: "cat"}, "train": "images/train"},
        {"names": {"0": "dog", "1": "cat"}, "train": "images/train"},
        {"names": {0: "dog", 1: "cat"}, "nc": 2, "train": "images/train", "download": "print('no')"},
    ],
)
def test_entries_are_found_in_all_usual_forms(yolo, document):
    source = yolo(STANDARD | {"train.txt": "./images/train/a.png\nimages/train/b.png\n\n"}, **document)

    assert [label[-5:] for label in open_source(source, "train").labels] == ["a.png", "b.png"]
    if document.get("path") != "images":  # then labels/ is outside of it
        assert open_source(source, "train").object_counts.tolist() == [1, 0]


def test_lists_may_have_absolute_names_within_the_folder(yolo, tmp_path):
    text = f"{tmp_path}/set/images/train/a.png\n/etc/passwd\n../outside.png\n{tmp_path}/set/../other.png\n"

    source = open_source(yolo(STANDARD | {"train.txt": text}, train="train.txt"), "train")

    assert len(source) == 1 and source.issues.counts() == {"image outside the folder": 3}


def test_labels_are_beside_images_outside_an_images_folder(yolo):
    files = {"train/a.png": None, "train/a.txt": ROW}

    assert open_source(yolo(files, train="train"), "train").object_counts.tolist() == [1]


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
        "0 0.5 0.5 0.1 0.1 0.9",
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


def test_boxes_belong_to_the_upright_image(yolo):
    files = {"images/a.png": {"orientation": 6}, "labels/a.txt": "0 0.5 0.25 0.2 0.1\n"}

    source = open_source(yolo(files, train="images"), "train")
    example = source.read(0)

    assert example["image"].shape == (WIDTH, HEIGHT, 3) and source.sizes.tolist() == [[WIDTH, HEIGHT]]
    np.testing.assert_allclose(example["boxes"], [[0.2, 0.4, 0.3, 0.6]], atol=1e-7)
    assert source.issues.counts() == {"rotated by EXIF": 1}


def test_images_in_another_folder_are_read_only_if_the_user_names_it(yolo, tmp_path):
    source = yolo(STANDARD, path=str(tmp_path / "elsewhere"), train="images/train")
    (tmp_path / "elsewhere").mkdir()
    for part in ("images", "labels"):
        (tmp_path / "set" / part).rename(tmp_path / "elsewhere" / part)

    with pytest.raises(InputError, match=r"does not exist in .*set.*add it: yolo:.*data.yaml\+FOLDER"):
        open_source(source, "train")
    opened = open_source(f"{source}+{tmp_path}/elsewhere", "train")

    assert opened.object_counts.tolist() == [1, 0]


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must have train, val and names. Received: None"),
        ("a: [1", "cannot be parsed as YAML"),
        ("names: [yes, no]\ntrain: images/train", "in quotes"),
        ("names: {a: dog}\ntrain: images/train", "must be 0, 1, 2"),
        ("names: []\ntrain: images/train", "names in .* cannot be used"),
        ("train: images/train", '"names" must list the names of the classes'),
        ("names: [a]\nval: images/train", "has the splits val"),
        ("names: [a]\ntrain: 3", "has the splits none"),
        ("a: &a [x]\nb: *a\nnames: [a]", "aliases"),
        ("names: !!python/object/apply:os.system ['exit 1']", "cannot be parsed as YAML"),
        ("names: !!int ''", "cannot be parsed as YAML"),
        ("[" * 100_000, "cannot be parsed as YAML"),
        ("\x07", "cannot be parsed as YAML"),
    ],
)
def test_an_unusable_data_yaml_is_named(yolo, tmp_path, text, words):
    source = yolo(STANDARD)
    (tmp_path / "set" / "data.yaml").write_text(text)

    with pytest.raises(InputError, match=words) as caught:
        open_source(source, "train")

    assert "data.yaml" in str(caught.value)


def test_classes_may_have_no_names_or_the_same_name(yolo):
    counted = open_source(yolo(STANDARD, train="images/train", names=None, nc=3), "train")
    alike = open_source(yolo(STANDARD, train="images/train", names=["crane", "crane"]), "train")

    assert counted.categories.names == ("class 0", "class 1", "class 2")
    assert alike.categories.names == ("crane (id 0)", "crane (id 1)")
