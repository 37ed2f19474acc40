"""A source without splits of its own is split by a hash of its file names."""

import json

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError


def single_file(write_rectangles, folder, count):
    folder = write_rectangles(folder, {"train": count})
    return f"coco:{folder}/annotations/instances_train.json+{folder}/train"


def test_the_file_names_decide_the_split(write_rectangles, tmp_path):
    source = single_file(write_rectangles, tmp_path / "a", 20)
    moved = single_file(write_rectangles, tmp_path / "elsewhere", 20)
    file = tmp_path / "elsewhere" / "annotations" / "instances_train.json"
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"images": document["images"][::-1]}))

    train, val = open_source(source, "train"), open_source(source, "val")

    assert (len(train), len(val)) == (16, 4)
    assert sorted([*train.image_ids, *val.image_ids]) == list(range(1, 21))
    assert train.image_ids.tolist() == sorted(train.image_ids)
    assert train.image_ids.tolist() != list(range(1, 17)), "not the first 80 %, which are often one scene or one class"
    assert set(open_source(moved, "val").image_ids) == set(val.image_ids)
    assert open_source(source, "all[:80%]").image_ids.tolist() == list(range(1, 17))
    assert len(open_source(source, "train[:50%]")) == 8
    assert train.issues.counts() == {"split by file hash": 1}


def test_other_splits_are_refused(write_rectangles, tmp_path):
    source = single_file(write_rectangles, tmp_path / "a", 1)

    with pytest.raises(InputError, match=r"must be one of 'all', 'train', 'val', .* no splits of its own"):
        open_source(source, "test")
    with pytest.raises(InputError, match="too few to be split"):
        open_source(source, "val")
