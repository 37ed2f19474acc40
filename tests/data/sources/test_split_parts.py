"""Splits by name, slice and percentage, the same for every source."""

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.split_parts import SplitPart, parse_split
from pix2seq_keras.errors import InputError


@pytest.fixture(scope="module")
def folder(write_rectangles, tmp_path_factory):
    return write_rectangles(tmp_path_factory.mktemp("coco") / "set", {"train": 10, "val": 3})


@pytest.mark.parametrize(
    ("split", "ids"),
    [
        ("train", range(1, 11)),
        ("train[:80%]", range(1, 9)),
        ("train[80%:]", (9, 10)),
        ("train[2:5]", (3, 4, 5)),
        ("train[-2:]", (9, 10)),
        ("train[-30%:-10%]", (8, 9)),
        ("train[8:100]", (9, 10)),
        ("train[:]", range(1, 11)),
    ],
)
def test_slices_keep_the_order_of_the_split(folder, split, ids):
    source = open_source(f"coco:{folder}", split)

    assert source.image_ids.tolist() == list(ids)
    assert [int(source.read(i)["image_id"]) for i in range(len(source))] == list(ids)
    assert [int(source.objects(i)["image_id"]) for i in range(len(source))] == list(ids)
    assert source.split == ("train" if split == "train[:]" else split)
    assert len(source.labels) == len(source.sizes) == len(source.annotated) == len(source.object_counts) == len(ids)


@pytest.mark.parametrize("percent", range(0, 101, 7))
@pytest.mark.parametrize("count", [1, 7, 10, 205])
def test_the_two_parts_at_any_percentage_are_the_whole(count, percent):
    left, right = SplitPart("a", None, f"{percent}%"), SplitPart("a", f"{percent}%", None)

    assert left.bounds(count)[0] == 0 and right.bounds(count)[1] == count
    assert left.bounds(count)[1] == right.bounds(count)[0] == round(count * percent / 100)


def test_several_splits_are_joined_and_equal_ids_are_replaced(folder):
    source = open_source(f"coco:{folder}", "train[8:]+val")
    apart = [open_source(f"coco:{folder}", "train[8:]"), open_source(f"coco:{folder}", "val")]

    same = open_source(f"coco:{folder}", "train[:2]+train[8:]")

    assert len(source) == 5 and source.image_ids.tolist() == [9, 10, 1, 2, 3]
    np.testing.assert_array_equal(source.read(3)["image"], apart[1].read(1)["image"])
    assert same.image_ids.tolist() == [1, 2, 9, 10]
    assert open_source(f"coco:{folder}", "train+val").image_ids.tolist() == list(range(1, 14))


@pytest.mark.parametrize("split", ["train[5:5]", "train[9:2]", "train[:0%]", "val[7:]"])
def test_an_empty_part_is_refused_with_the_size_of_the_whole(folder, split):
    with pytest.raises(InputError, match=r"has no images.* has (10|3) in all"):
        open_source(f"coco:{folder}", split)


@pytest.mark.parametrize(
    "split", ["", "train[:80%", "train[80]", "train[a:b]", "train[::2]", "+", "train++val", "[:3]"]
)
def test_other_forms_are_refused(folder, split):
    assert parse_split(split) is None
    with pytest.raises(InputError, match="`split` must be a name such as train"):
        open_source(f"coco:{folder}", split)


def test_parts_of_tfds_splits_are_the_same_and_keep_their_ids(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))

    assert open_source("digits:64", "test[295:]").image_ids.tolist() == list(range(296, 301))
    assert len(open_source("digits:64", "test[:10%]+test[-5:]")) == 35
    assert len(open_source("digits:64", "test[:1shard]")) == 300
    with pytest.raises(InputError, match=r"must be one of 'test'|digit scenes"):
        open_source("digits:64", "test[oh]")
