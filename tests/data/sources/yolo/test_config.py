"""The `data.yaml` of YOLO data sets, as people write it."""

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

ROW = "1 0.75 0.225 0.4 0.25\n"  # the white box of the images
STANDARD = {"images/train/a.png": None, "labels/train/a.txt": ROW, "images/train/b.png": None}


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


def test_images_in_another_folder_are_read_only_if_the_user_names_it(yolo, tmp_path):
    source = yolo(STANDARD, path=str(tmp_path / "elsewhere"), train="images/train")
    (tmp_path / "elsewhere").mkdir()
    for part in ("images", "labels"):
        (tmp_path / "set" / part).rename(tmp_path / "elsewhere" / part)

    with pytest.raises(InputError, match=r"does not exist in .*set.*add it: yolo:.*data.yaml\+FOLDER"):
        open_source(source, "train")
    opened = open_source(f"{source}+{tmp_path}/elsewhere", "train")

    assert opened.object_counts.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must have train, val and names. Received: None"),
        ("a: [1", "cannot be parsed as YAML"),
        ("names: [yes, no]\ntrain: images/train", "in quotes"),
        ("names: {a: dog}\ntrain: images/train", "must be 0, 1, 2"),
        ("names: []\ntrain: images/train", "names in .* cannot be used"),
        ("train: images/train", '"names" must list the names of the classes'),
        ("names: [a]\nval: images/train", "must be one of 'val'"),
        ("names: [a]\ntrain: 3", "which has none"),
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
