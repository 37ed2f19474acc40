"""Splits by name, slice and fraction, the same for every source."""

import json

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.splits import SplitPart, parse_split
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
def test_the_two_sides_of_any_percentage_make_up_the_whole(count, percent):
    left, right = SplitPart("a", None, f"{percent}%"), SplitPart("a", f"{percent}%", None)

    assert left.bounds(count)[0] == 0 and right.bounds(count)[1] == count
    assert left.bounds(count)[1] == right.bounds(count)[0] == round(count * percent / 100)


def test_several_splits_are_joined_and_colliding_ids_made_new(folder):
    source = open_source(f"coco:{folder}", "train[8:]+val")
    apart = [open_source(f"coco:{folder}", "train[8:]"), open_source(f"coco:{folder}", "val")]

    same = open_source(f"coco:{folder}", "train[:2]+train[8:]")

    assert len(source) == 5 and source.image_ids.tolist() == [9, 10, 1, 2, 3]
    np.testing.assert_array_equal(source.read(3)["image"], apart[1].read(1)["image"])
    assert same.image_ids.tolist() == [1, 2, 9, 10]
    assert open_source(f"coco:{folder}", "train+val").image_ids.tolist() == list(range(1, 14))


@pytest.mark.parametrize("split", ["train[5:5]", "train[9:2]", "train[:0%]", "val[7:]"])
def test_an_empty_part_is_refused_with_the_size_of_the_whole(folder, split):
    with pytest.raises(InputError, match=r"holds no images.* has (10|3) in all"):
        open_source(f"coco:{folder}", split)


@pytest.mark.parametrize(
    "split", ["", "train[:80%", "train[80]", "train[a:b]", "train[::2]", "+", "train++val", "[:3]"]
)
def test_what_is_no_split_is_refused_in_a_sentence(folder, split):
    assert parse_split(split) is None
    with pytest.raises(InputError, match="A split is a name such as train"):
        open_source(f"coco:{folder}", split)


def test_tfds_parts_are_cut_in_the_same_way_and_keep_their_ids(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))

    assert open_source("digits:64", "test[295:]").image_ids.tolist() == list(range(296, 301))
    assert len(open_source("digits:64", "test[:10%]+test[-5:]")) == 35
    assert len(open_source("digits:64", "test[:1shard]")) == 300
    with pytest.raises(InputError, match=r"splits 'test'|digit scenes"):
        open_source("digits:64", "test[oh]")


def single_file(write_rectangles, folder, count):
    folder = write_rectangles(folder, {"train": count})
    return f"coco:{folder}/annotations/instances_train.json+{folder}/train"


def test_a_single_file_is_split_by_its_names_alone(write_rectangles, tmp_path):
    source = single_file(write_rectangles, tmp_path / "a", 20)
    moved = single_file(write_rectangles, tmp_path / "elsewhere", 20)
    file = tmp_path / "elsewhere" / "annotations" / "instances_train.json"
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"images": document["images"][::-1]}))

    train, val = open_source(source, "train"), open_source(source, "val")

    assert (len(train), len(val)) == (16, 4)
    assert sorted([*train.image_ids, *val.image_ids]) == list(range(1, 21))
    assert train.image_ids.tolist() == sorted(train.image_ids)
    assert train.image_ids.tolist() != list(range(1, 17)), "the first 80 % are often one scene or one class"
    assert set(open_source(moved, "val").image_ids) == set(val.image_ids)
    assert open_source(source, "all[:80%]").image_ids.tolist() == list(range(1, 17))
    assert len(open_source(source, "train[:50%]")) == 8
    assert train.issues.counts() == {"split by file hash": 1}


def test_other_splits_of_a_single_file_are_refused(write_rectangles, tmp_path):
    source = single_file(write_rectangles, tmp_path / "a", 1)

    with pytest.raises(InputError, match=r"no splits of its own. Use 'all'"):
        open_source(source, "test")
    with pytest.raises(InputError, match="too few to be split"):
        open_source(source, "val")
