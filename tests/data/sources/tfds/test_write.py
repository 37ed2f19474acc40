"""TFRecord folders that describe themselves."""

import json

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.convert import convert_source
from pix2seq_keras.errors import InputError


@pytest.fixture(scope="module")
def source(write_rectangles, tmp_path_factory):
    return open_source(f"coco:{write_rectangles(tmp_path_factory.mktemp('coco') / 'set', {'train': 12})}", "train")


def test_a_damaged_tfrecord_folder_or_one_that_names_other_folders_is_refused(source, tmp_path):
    folder = tmp_path / "out"
    convert_source(source, folder, "tfrecord")
    info = (folder / "dataset_info.json").read_text()
    template = json.loads(info)["splits"][0]["filepathTemplate"]

    (folder / "dataset_info.json").write_text(info.replace(template, f"../elsewhere/{template}"))
    with pytest.raises(InputError, match="outside the folder"):
        open_source(f"tfrecord:{folder}", "train")
    for text in ("", "{", info.replace('"splits"', '"split"'), info[:-40]):
        (folder / "dataset_info.json").write_text(text)
        with pytest.raises(InputError):
            open_source(f"tfrecord:{folder}", "train")
    with pytest.raises(InputError, match=r"must be a folder with dataset_info.json"):
        open_source(f"tfrecord:{tmp_path}", "train")


def test_records_are_divided_into_shards_and_read_in_order(source, tmp_path, monkeypatch):
    monkeypatch.setattr("pix2seq_keras.data.sources.tfds.write._SHARD_BYTES", 1_000)

    back = open_source(convert_source(source, tmp_path / "out", "tfrecord").source, "train")

    shards = sorted(path.name for path in (tmp_path / "out").glob("*.tfrecord-*"))
    assert len(shards) > 2 and shards[0] == f"pix2seq-train.tfrecord-00000-of-{len(shards):05d}"
    for index in range(len(source)):
        example, expected = back.read(index), source.read(index)
        for key in expected:
            np.testing.assert_array_equal(example[key], expected[key])
    assert len(open_source(f"tfrecord:{tmp_path}/out", "train[:2]+train[6:]")) == 8
