"""Darknet's obj.data, as CVAT and darknet's users write it."""

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.split_names import list_splits
from pix2seq_keras.errors import InputError

ROW = "1 0.75 0.225 0.4 0.25\n"
DATA = "classes = 2\ntrain  = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n"


@pytest.fixture
def write(tmp_path, save_image):
    """A function that writes CVAT's folder with a data file, and returns that file's path."""

    def write(data, prefix="data/"):
        for name in ("train.txt", "valid.txt"):
            stems = ("a", "b") if name == "train.txt" else ("c",)
            (tmp_path / name).write_text("".join(f"{prefix}obj_train_data/{stem}.png\n" for stem in stems))
        (tmp_path / "obj_train_data").mkdir()
        for stem in "abc":
            save_image(tmp_path / "obj_train_data" / f"{stem}.png")
            (tmp_path / "obj_train_data" / f"{stem}.txt").write_text(ROW)
        (tmp_path / "obj.names").write_text("dog\ncat\n")
        (tmp_path / "obj.data").write_text(data)
        return tmp_path / "obj.data"

    return write


@pytest.mark.parametrize("prefix", ["data/", "", "/home/someone/darknet/data/"])
def test_a_folder_of_darknet_and_its_data_file_are_opened(write, prefix):
    file = write(DATA, prefix)

    for source in (f"yolo:{file}", f"yolo:{file.parent}", f"yolo:{file}+{file.parent}"):
        train, val = open_source(source, "train"), open_source(source, "val")
        assert train.object_counts.tolist() == [1, 1] and val.object_counts.tolist() == [1]
        assert train.categories.names == ("dog", "cat") and train.issues.counts("problem") == {}
        assert list_splits(source) == ["train", "valid"]


def test_classes_without_names_are_numbered_and_a_contradiction_is_said(write):
    file = write(DATA.replace("classes = 2", "classes = 3"))
    assert open_source(f"yolo:{file}", "train").issues.counts()["wrong number of classes"] == 1
    (file.parent / "obj.names").unlink()

    assert open_source(f"yolo:{file}", "train").categories.names == ("class 0", "class 1", "class 2")


def test_a_file_without_splits_is_refused_and_nothing_outside_is_read(write, tmp_path):
    file = write("classes = 2\nnames = /etc/passwd\n")
    with pytest.raises(InputError, match=r"must have lines such as train = .*obj.data"):
        open_source(f"yolo:{file}", "train")
    file.write_text("train = ../../etc\nnames = /etc/passwd\n")
    with pytest.raises(InputError, match="does not exist"):
        open_source(f"yolo:{file}", "train")
