"""YOLO folders without a data.yaml of that name: other YAML files, and just folders with a list of classes."""

import json

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.split_names import list_splits
from pix2seq_keras.errors import InputError

ROW = "1 0.75 0.225 0.4 0.25\n"
NAMES = "dog\ncat\n"


@pytest.fixture
def write(tmp_path, save_image):
    """A function that writes files, and images where the text is None; it returns the source."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                save_image(path)
            else:
                path.write_text(text)
        return f"yolo:{tmp_path}/set"

    return write


def images(folder, labels, count=10):
    return {f"{folder}{n}.png": None for n in range(count)} | {f"{labels}{n}.txt": ROW for n in range(count)}


@pytest.mark.parametrize(
    "files",
    [
        images("images/", "labels/") | {"classes.txt": NAMES},
        images("images/", "labels/") | {"classes.txt": NAMES, "notes.json": "{}"},
        images("images/", "labels/") | {"labels/classes.txt": NAMES},
        images("images/", "images/") | {"images/classes.txt": NAMES},
        images("", "") | {"classes.txt": NAMES},
        images("", "") | {"obj.names": NAMES, "readme.txt": "hello"},
        images("images/a/", "labels/a/") | {"labels.txt": NAMES},
        images("images/", "labels/")
        | {"notes.json": json.dumps({"categories": [{"id": 1, "name": "cat"}, {"id": 0, "name": "dog"}]})},
    ],
    ids=["Label Studio", "with notes", "list in labels", "LabelImg in images", "LabelImg", "names", "folders", "notes"],
)
def test_a_folder_with_a_list_of_classes_is_split_by_hash(write, files):
    source = write(files)

    whole = open_source(source, "all")

    assert whole.object_counts.tolist() == [1] * 10 and whole.issues.counts() == {}
    assert whole.categories.names == ("dog", "cat") and whole.objects(0)["classes"].tolist() == [1]
    assert [len(open_source(source, split)) for split in ("train", "val")] == [8, 2]
    assert list_splits(source) == ["train", "val"]


@pytest.mark.parametrize(
    "files",
    [
        images("images/train/", "labels/train/", 3) | images("images/val/", "labels/val/", 2),
        images("train/images/", "train/labels/", 3) | images("valid/images/", "valid/labels/", 2),
        images("train/", "train/", 3) | images("val/", "val/", 2),
        images("images/", "labels/", 5)
        | {"train.txt": "images/0.png\nimages/1.png\nimages/2.png\n", "val.txt": "images/3.png\nimages/4.png\n"},
    ],
    ids=["in images", "Roboflow", "beside", "lists"],
)
def test_folders_and_lists_of_the_usual_names_are_splits(write, files):
    source = write(files | {"classes.txt": NAMES})

    train, val = open_source(source, "train"), open_source(source, "val")

    assert train.object_counts.tolist() == [1, 1, 1] and val.object_counts.tolist() == [1, 1]
    assert train.issues.counts() == val.issues.counts() == {} and list_splits(source)[0] == "train"


def test_labels_named_like_a_list_are_labels(write):
    source = write({"train.png": None, "train.txt": ROW, "classes.txt": NAMES})

    assert open_source(source, "all").object_counts.tolist() == [1]


@pytest.mark.parametrize("name", ["data.yaml", "coco8.yaml", "data.yml"])
def test_the_one_yaml_file_that_describes_data_is_found(write, name):
    text = "train: images\nnames: [dog, cat]\n"

    source = write(images("images/", "labels/", 2) | {name: text, "args.yaml": "epochs: 3\n"})

    assert open_source(source, "train").object_counts.tolist() == [1, 1] and list_splits(source) == ["train"]


def test_several_descriptions_and_none_are_refused_with_what_to_do(write):
    source = write(images("images/", "labels/", 2))
    with pytest.raises(InputError, match=r"must be a data.yaml, or a folder with .*classes.txt. Received: .*set"):
        open_source(source, "train")
    write({"a.yaml": "names: [a]", "b.yaml": "nc: 1"})
    with pytest.raises(InputError, match=r"several descriptions .* Use one of 'yolo:.*a.yaml', 'yolo:.*b.yaml'"):
        open_source(source, "train")


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ("[]", "must have"),
        ("{", "is not JSON, or is truncated"),
        ("[" * 100_000, "cannot be parsed as JSON"),
        ('{"categories": [{"id": 0}]}', "must have"),
        ('{"categories": 3}', "must have"),
    ],
)
def test_unusable_notes_are_named(write, notes, message):
    source = write(images("images/", "labels/", 1) | {"notes.json": notes})

    with pytest.raises(InputError, match=rf"notes\.json {message}"):
        open_source(source, "all")


def test_an_empty_line_of_the_list_does_not_renumber_the_classes(write):
    source = write(images("images/", "labels/", 1) | {"classes.txt": "dog\n\ncat\n\n"})

    assert open_source(source, "all").categories.names == ("dog", "class 1", "cat")


def test_a_number_of_classes_that_contradicts_the_names_is_said(write):
    source = write(images("images/", "labels/", 1) | {"data.yaml": "train: images\nnames: [dog, cat]\nnc: 3\n"})

    opened = open_source(source, "train")

    assert opened.issues.counts("problem") == {"wrong number of classes": 1}
    assert "it states 3 classes and names 2; the names are used" in opened.issues.summary()


def test_links_to_other_folders_are_not_followed(write, tmp_path):
    source = write(images("images/", "labels/", 1))
    (tmp_path / "secret.txt").write_text(NAMES)
    (tmp_path / "set" / "classes.txt").symlink_to(tmp_path / "secret.txt")

    with pytest.raises(InputError, match="link to another folder"):
        open_source(source, "all")
