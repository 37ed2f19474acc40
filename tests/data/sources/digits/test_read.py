"""The digit scenes, drawn on first use and read like any TFDS data set."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pix2seq_keras.data.sources.digits.read import open_digits
from pix2seq_keras.data.sources.digits.scenes import draw_scene
from pix2seq_keras.data.sources.tfds.read import open_tfds
from pix2seq_keras.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[4]


def test_examples_equal_the_drawn_scenes_bit_for_bit(data_folder):
    source = open_digits("64", "test")

    for index in range(0, 300, 7):
        example, scene = source.read(index), draw_scene("64", "test", index)
        np.testing.assert_array_equal(example["image"], scene.image, strict=True)
        np.testing.assert_array_equal(example["boxes"], scene.boxes, strict=True)
        np.testing.assert_array_equal(example["classes"], scene.classes, strict=True)
        np.testing.assert_array_equal(example["area"], scene.areas_pixels.astype(np.float32), strict=True)
        np.testing.assert_array_equal(example["is_crowd"], np.zeros(len(scene.digits), bool), strict=True)
        assert example["image_id"] == source.image_ids[index] == index + 1
        assert example["image_id"].dtype == np.int64


def test_the_source_describes_the_split(data_folder):
    source = open_digits("64", "test")

    assert source.categories.names == tuple("0123456789")
    assert source.categories.ids == tuple(range(1, 11))
    assert len(source.image_ids) == 300
    assert source.annotated.all() and source.annotated.dtype == bool
    drawn = [len(draw_scene("64", "test", index).digits) for index in range(300)]
    np.testing.assert_array_equal(source.object_counts, drawn)
    assert len(source.issues) == 0


def test_threads_read_the_same_examples_in_any_order(data_folder):
    source = open_digits("64", "test")
    shuffled = np.random.default_rng(0).permutation(300)[:120]

    with ThreadPoolExecutor(4) as pool:
        examples = dict(zip(shuffled.tolist(), pool.map(source.read, shuffled), strict=True))

    for index in sorted(examples):
        np.testing.assert_array_equal(examples[index]["image"], source.read(index)["image"])
        np.testing.assert_array_equal(examples[index]["boxes"], source.read(index)["boxes"])


def test_only_the_requested_split_is_drawn(data_folder):
    open_digits("64", "test")

    assert [path.name for path in (data_folder / "digit_scenes").glob("[0-9]*")] == ["64_test"]


def test_the_digit_scenes_open_as_a_tfds_source_too(data_folder):
    source, same = open_tfds("digit_scenes/64_test", "test[10:20]"), open_digits("64", "test")

    assert len(source.image_ids) == 10
    np.testing.assert_array_equal(source.read(3)["image"], same.read(13)["image"])
    assert source.read(3)["image_id"] == 14


def test_a_part_of_a_split_is_opened_in_tfds_notation(data_folder):
    source = open_digits("64", "test[:10%]")

    np.testing.assert_array_equal(source.image_ids, np.arange(1, 31))


def test_the_index_is_saved_and_made_again_when_damaged(data_folder):
    open_digits("64", "test[:50]")
    saved = max(
        (data_folder / "digit_scenes/64_test/1.0.0").glob("pix2seq_index_*.npz"),
        key=lambda p: p.stat().st_mtime_ns,
    )

    saved.write_bytes(saved.read_bytes()[:100])
    source = open_digits("64", "test[:50]")

    np.testing.assert_array_equal(source.image_ids, np.arange(1, 51))
    with np.load(saved) as arrays:
        np.testing.assert_array_equal(arrays["image_ids"], source.image_ids)
    assert not list(saved.parent.glob(".pix2seq*"))


def test_an_image_that_cannot_be_decoded_is_reported_by_its_id(data_folder, monkeypatch):
    source = open_digits("64", "test")
    decode = tfds.features.FeaturesDict.deserialize_example_np

    def truncate(self, record, **kwargs):
        example = decode(self, record, **kwargs)
        return example | {"image": example["image"][:200]}

    monkeypatch.setattr(tfds.features.FeaturesDict, "deserialize_example_np", truncate)

    assert source.read_or_report(4) is None
    assert source.issues.counts() == {"unreadable image": 1}
    assert "5 of digits:64 (test)" in next(iter(source.issues)).message


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file")
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(blocked))

    with pytest.raises(InputError, match=r"cannot be written to .*PIX2SEQ_DATA_DIR"):
        open_digits("64", "test")


@pytest.mark.parametrize(
    ("size", "split", "message"), [("128", "test", "one of '96', '64'"), ("64", "dev", "one of 'train', 'val'")]
)
def test_unknown_sizes_and_splits_are_refused(size, split, message):
    with pytest.raises(InputError, match=message):
        open_digits(size, split)
