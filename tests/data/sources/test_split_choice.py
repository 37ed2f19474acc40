"""One message about a split that a source does not have, whatever its format."""

import pytest

from pix2seq_keras import InputError, open_source
from pix2seq_keras.data.convert import convert_source
from pix2seq_keras.data.sources.split_choice import require_split


def test_a_split_that_exists_passes():
    require_split("val", ["train", "val"], "here")


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
