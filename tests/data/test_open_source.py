"""The ways to write a source."""

import pytest

from pix2seq_keras.data import load, open_source
from pix2seq_keras.errors import InputError


def test_a_coco_folder_opens_by_its_path(write_rectangles, tmp_path):
    folder = write_rectangles(tmp_path / "a:b c", {"val": 2})
    source = open_source(f"coco:{folder}", "val")
    assert (source.name, source.split, len(source)) == (f"coco:{folder}", "val", 2)
    assert source.categories.names == ("red", "green", "blue")


def test_load_gives_the_examples_in_the_order_of_the_file(write_rectangles, tmp_path):
    folder = write_rectangles(tmp_path / "coco", {"val": 3})
    examples = list(load(f"coco:{folder}", "val").as_numpy_iterator())
    assert [example["image_id"] for example in examples] == [1, 2, 3]
    assert all(example["boxes"].shape == (3, 4) for example in examples)


def test_digits_open_by_name_and_size(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))
    source = open_source("digits:64", "test")
    assert len(source.categories) == 10
    assert source.read(0)["image"].shape == (64, 64, 3)


@pytest.mark.parametrize("source", ["", "coco:", "coco", "tfds:", "voc:", "cocos:x", "Digits", None, "/some/path"])
def test_unknown_forms_are_refused_with_the_known_forms(source):
    with pytest.raises(InputError, match=r"must be one of coco:DIR, .*Received"):
        open_source(source, "val")


@pytest.mark.parametrize("source, split", [("coco:no/such/folder", "val"), ("digits:64", "dev"), ("digits:7", "val")])
def test_sources_that_cannot_be_opened_raise_input_errors(source, split, tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError):
        open_source(source, split)
