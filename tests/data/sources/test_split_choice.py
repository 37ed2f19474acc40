"""One message about a split that a source does not have, whatever its format."""

import pytest

from pix2seq_keras import InputError, open_source
from pix2seq_keras.data.convert import convert_source
from pix2seq_keras.data.sources.split_choice import find_split, require_split
from pix2seq_keras.data.split_names import list_splits


def test_a_split_that_exists_passes():
    assert require_split("val", ["train", "val", "valid"], "here") == "val"


def test_val_valid_and_validation_mean_the_same_where_only_one_of_them_exists():
    assert require_split("val", ["train", "valid"], "here") == "valid"
    assert require_split("validation", ["train", "val"], "here") == "val"
    assert find_split("val", ["train", "valid", "validation"]) is None and find_split("val", ["train"]) is None


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (["b", "a"], r"`split` must be one of 'b', 'a', or a part of one such as 'b\[:80%\]'. Received: split=.c"),
        ([], "`split` must be a split of x, which has none. Received: split='c'"),
    ],
)
def test_the_message_lists_the_splits_in_the_order_given(splits, message):
    with pytest.raises(InputError, match=message):
        require_split("c", splits, "x")


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "tfrecord"])
def test_every_format_has_the_same_message(write_rectangles, tmp_path, name):
    coco = f"coco:{write_rectangles(tmp_path / 'coco', {'train': 2, 'val': 1})}"
    splits = {split: open_source(coco, split) for split in ("train", "val")}
    converted = convert_source(splits, tmp_path / "out", name)
    with pytest.raises(InputError, match=r"`split` must be one of 'train', 'val', or a part .* split=.night."):
        open_source(converted.source, "night")


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "tfrecord"])
def test_every_format_takes_valid_for_val(write_rectangles, tmp_path, name):
    coco = f"coco:{write_rectangles(tmp_path / 'coco', {'train': 4, 'val': 2})}"
    splits = {own: open_source(coco, split) for own, split in (("train", "train"), ("valid", "val"))}
    converted = convert_source(splits, tmp_path / "out", name)

    mixture = f"mix:[{coco}]+[{converted.source}]"
    assert len(open_source(mixture, "val")) == 4 and list_splits(mixture) == ["train", "val"]
    assert len(open_source(converted.source, "val")) == 2
    assert len(open_source(converted.source, "train+validation[:50%]")) == 5
