"""The splits of every form of source."""

import pytest

from pix2seq_keras.data.split_names import list_splits
from pix2seq_keras.errors import InputError


def touch(*paths, text=""):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_mixture_has_the_splits_that_all_its_data_sets_have(tmp_path):
    for folder, names in (("a", ("train", "val", "test")), ("b", ("train2017", "val"))):
        touch(*(tmp_path / folder / "annotations" / f"instances_{name}.json" for name in names))

    both = f"mix:[coco:{tmp_path / 'a'}]+[coco:{tmp_path / 'b'}]"
    assert list_splits(both) == ["val"]
    assert list_splits(both + "{train=train2017}") == ["train", "val"]


def test_digits_have_three_splits_and_unknown_forms_are_refused():
    assert list_splits("digits:64") == ["train", "val", "test"]
    with pytest.raises(InputError, match="must be one of coco:DIR"):
        list_splits("csv:table.csv")
    with pytest.raises(InputError, match="must be one of coco:DIR"):
        list_splits("coco:")


def test_missing_folders_are_reported_when_opened(tmp_path):
    for source in (f"coco:{tmp_path / 'none'}", f"voc:{tmp_path / 'none'}", f"tfrecord:{tmp_path / 'none'}"):
        assert list_splits(source) == ["train"]
