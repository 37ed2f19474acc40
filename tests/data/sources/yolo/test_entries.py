"""Entries of a data.yaml that was written on another machine are found inside the data set's folder."""

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

ROW = "1 0.75 0.225 0.4 0.25\n"
STANDARD = {"images/train/a.png": None, "labels/train/a.txt": ROW}
OTHER_MACHINES = [
    {"train": "images\\train"},
    {"train": ".\\images\\train\\"},
    {"train": "C:/Users/me/set/images/train"},
    {"train": "C:\\Users\\me\\set\\images\\train"},
    {"train": "/content/set/images/train"},
    {"path": "/content/set", "train": "images/train"},
    {"path": "C:\\data\\set", "train": "images\\train"},
    {"path": "/content/set/images", "train": "train"},
    {"train": "Images/Train"},
    {"train": "..\\images\\train"},
    {"train": ["/kaggle/input/set/images/train/"]},
]


@pytest.mark.parametrize("document", OTHER_MACHINES)
@pytest.mark.parametrize("place", ["beside", "in the folder", "in its parent"])
def test_an_entry_of_another_machine_is_found_by_its_tail(yolo, tmp_path, document, place):
    source = yolo(STANDARD, **document)
    if place != "beside":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "set" / "data.yaml").rename(tmp_path / "elsewhere" / "data.yaml")
        source = f"yolo:{tmp_path}/elsewhere/data.yaml+{tmp_path}/set"
    if place == "in its parent" and "set" in str(document):
        source = f"yolo:{tmp_path}/elsewhere/data.yaml+{tmp_path}"

    opened = open_source(source, "train")

    assert opened.object_counts.tolist() == [1] and not opened.issues.counts("problem")
    exact = document == {"path": "/content/set", "train": "images/train"} and place != "in its parent"
    assert opened.issues.counts("note") == ({} if exact else {"file name read leniently": 1})


@pytest.mark.parametrize(
    "line",
    ["images\\train\\a.png", ".\\images\\train\\a.png", "C:/set/images/train/a.png", "/content/set/images/train/a.png",
     "images/train/A.PNG", "images/train/%61.png"],
)  # fmt: skip
def test_lines_of_a_list_are_found_with_their_labels(yolo, line):
    opened = open_source(yolo(STANDARD | {"train.txt": f"{line}\n"}, train="train.txt"), "train")

    assert opened.object_counts.tolist() == [1]
    assert opened.issues.counts() == {"file name read leniently": 1}


def test_a_list_may_have_names_that_are_not_utf8(yolo, tmp_path, save_image):
    source = yolo(STANDARD | {"images/train/caf\udce9.png": None, "labels/train/caf\udce9.txt": ROW}, train="train.txt")
    (tmp_path / "set" / "train.txt").write_bytes(b"images/train/caf\xe9.png\n")

    assert open_source(source, "train").object_counts.tolist() == [1]


def test_an_image_that_a_list_names_twice_in_two_ways_is_kept_once(yolo):
    text = "images/train/a.png\nimages\\train\\a.png\n"

    opened = open_source(yolo(STANDARD | {"train.txt": text}, train="train.txt"), "train")

    assert len(opened) == 1 and opened.issues.counts() == {"duplicate image id": 1}


def test_labels_are_found_in_another_unicode_form_but_never_in_another_folder(yolo):
    files = {"images/é.png": None, "labels/e\u0301.txt": ROW, "images/b.png": None, "b.txt": ROW}

    opened = open_source(yolo(files, train="images"), "train")

    assert dict(zip([label[-5:-4] for label in opened.labels], opened.object_counts, strict=True)) == {"é": 1, "b": 0}


def test_two_splits_never_become_the_same_folder(yolo):
    source = yolo({"images/a.png": None, "labels/a.txt": ROW}, train="/x/train/images", val="/x/val/images")

    with pytest.raises(InputError, match="must have its own folder"):
        open_source(source, "train")


def test_with_a_folder_the_message_does_not_recommend_what_was_done(yolo, tmp_path):
    source = yolo(STANDARD, train="photos")
    (tmp_path / "other").mkdir()

    with pytest.raises(InputError, match="Add the folder that holds it") as caught:
        open_source(f"{source}+{tmp_path}/other", "train")

    assert "+FOLDER" not in str(caught.value)


def test_links_to_other_folders_are_no_tails(yolo, tmp_path):
    source = yolo({"a.png": None}, train="/content/away", val="/content/out/secret")
    (tmp_path / "outside" / "secret").mkdir(parents=True)
    (tmp_path / "set" / "away").symlink_to(tmp_path / "outside")
    (tmp_path / "set" / "out").symlink_to(tmp_path / "outside")

    for split in ("train", "val"):
        with pytest.raises(InputError, match="does not exist in"):
            open_source(source, split)
