"""The digit scenes as a TFDS data set, and other TFDS data sets, read through one path."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pix2seq_keras.data.sources.digits import builder as digits_builder
from pix2seq_keras.data.sources.digits.builder import DigitScenes
from pix2seq_keras.data.sources.digits.scenes import draw_scene
from pix2seq_keras.data.sources.tfds.read import open_digits, open_tfds
from pix2seq_keras.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[3]


class PlainBoxes(tfds.core.GeneratorBasedBuilder):
    """Five JPEGs of 20×40 with image i holding i boxes, without `is_crowd`, `area` or ids."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {}

    def _info(self):
        objects = {"bbox": tfds.features.BBoxFeature(), "label": tfds.features.ClassLabel(names=["a", "b"])}
        features = {
            "image": tfds.features.Image(encoding_format="jpeg"),
            "objects": tfds.features.Sequence(objects),
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for index in range(5):
            box = {"bbox": tfds.features.BBox(0.0, 0.25, 0.5, 0.75), "label": index % 2}
            image = np.full((20, 40, 3), 50 * index, np.uint8)
            yield index, {"image": image, "objects": [box] * index}


class Unboxed(PlainBoxes):
    """A data set for classification."""

    def _info(self):
        features = {"image": tfds.features.Image(), "label": tfds.features.ClassLabel(num_classes=2)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self):
        yield 0, {"image": np.zeros((4, 4, 3), np.uint8), "label": 0}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data folder with the 300 test scenes of 64×64."""
    folder = tmp_path_factory.mktemp("data")
    DigitScenes(config="64_test", data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture
def data_folder(prepared, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(prepared))
    return prepared


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))
    return tmp_path


def prepare(builder_class, folder, file_format="array_record"):
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    builder = builder_class(data_dir=folder)
    builder.download_and_prepare(file_format=file_format, download_config=config)
    return builder


def test_examples_equal_what_was_drawn_bit_for_bit(data_folder):
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


def test_reading_at_random_from_threads_equals_reading_in_order(data_folder):
    source = open_digits("64", "test")
    shuffled = np.random.default_rng(0).permutation(300)[:120]

    with ThreadPoolExecutor(4) as pool:
        examples = dict(zip(shuffled.tolist(), pool.map(source.read, shuffled), strict=True))

    for index in sorted(examples):
        np.testing.assert_array_equal(examples[index]["image"], source.read(index)["image"])
        np.testing.assert_array_equal(examples[index]["boxes"], source.read(index)["boxes"])


def test_only_the_split_asked_for_is_drawn(data_folder):
    open_digits("64", "test")

    assert [path.name for path in (data_folder / "digit_scenes").glob("[0-9]*")] == ["64_test"]


def test_the_digits_open_as_a_tfds_source_too(data_folder):
    source, same = open_tfds("digit_scenes/64_test", "test[10:20]"), open_digits("64", "test")

    assert len(source.image_ids) == 10
    np.testing.assert_array_equal(source.read(3)["image"], same.read(13)["image"])
    assert source.read(3)["image_id"] == 14


def test_a_part_of_a_split_is_opened_in_tfds_notation(data_folder):
    source = open_digits("64", "test[:10%]")

    np.testing.assert_array_equal(source.image_ids, np.arange(1, 31))


def test_the_index_is_kept_and_made_again_when_damaged(data_folder):
    open_digits("64", "test[:50]")
    kept = max(
        (data_folder / "digit_scenes/64_test/1.0.0").glob("pix2seq_index_*.npz"),
        key=lambda p: p.stat().st_mtime_ns,
    )

    kept.write_bytes(kept.read_bytes()[:100])
    source = open_digits("64", "test[:50]")

    np.testing.assert_array_equal(source.image_ids, np.arange(1, 51))
    with np.load(kept) as arrays:
        np.testing.assert_array_equal(arrays["image_ids"], source.image_ids)
    assert not list(kept.parent.glob(".pix2seq*"))


def test_missing_ids_crowds_and_areas_are_filled_in(empty_folder):
    prepare(PlainBoxes, empty_folder)

    source = open_tfds("plain_boxes", "train")

    np.testing.assert_array_equal(source.image_ids, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(source.object_counts, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(source.annotated, [False, True, True, True, True])
    assert source.categories.names == ("a", "b")
    example = source.read(3)
    np.testing.assert_array_equal(example["boxes"], [[0, 0.25, 0.5, 0.75]] * 3)
    np.testing.assert_array_equal(example["area"], [10 * 20.0] * 3)
    np.testing.assert_array_equal(example["is_crowd"], [False] * 3)
    assert example["image"].shape == (20, 40, 3) and abs(int(example["image"].mean()) - 150) <= 1
    assert source.read(0)["boxes"].shape == (0, 4)


def test_tfrecords_read_like_array_records(empty_folder, tmp_path_factory, monkeypatch):
    prepare(PlainBoxes, empty_folder, file_format="tfrecord")
    other_folder = tmp_path_factory.mktemp("array_record")
    prepare(PlainBoxes, other_folder)

    source = open_tfds("plain_boxes", "train[1:4]")

    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(other_folder))
    same = open_tfds("plain_boxes", "train[1:4]")
    np.testing.assert_array_equal(source.object_counts, [1, 2, 3])
    np.testing.assert_array_equal(source.object_counts, same.object_counts)
    for index in (2, 0, 1):
        example, expected = source.read(index), same.read(index)
        for key in expected:
            np.testing.assert_array_equal(example[key], expected[key])


def test_a_tfrecord_file_that_is_cut_short_is_named(empty_folder):
    builder = prepare(PlainBoxes, empty_folder, file_format="tfrecord")
    file = next(Path(builder.data_dir).glob("*.tfrecord*"))
    file.write_bytes(file.read_bytes()[:-10])

    with pytest.raises(InputError, match=r"00000-of-00001 is cut short.*5 records, but only 4"):
        open_tfds("plain_boxes", "train")


def test_damaged_or_missing_files_are_named(empty_folder):
    builder = prepare(PlainBoxes, empty_folder)
    file = next(Path(builder.data_dir).glob("*.array_record*"))

    file.write_bytes(file.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"damaged or missing .*prepare the data set again"):
        open_tfds("plain_boxes", "train")
    file.unlink()
    with pytest.raises(InputError, match=r"damaged or missing .*prepare the data set again"):
        open_tfds("plain_boxes", "train")


def test_a_image_that_cannot_be_decoded_is_reported_by_its_id(data_folder, monkeypatch):
    source = open_digits("64", "test")
    decode = tfds.features.FeaturesDict.deserialize_example_np

    def cut(self, record, **kwargs):
        example = decode(self, record, **kwargs)
        return example | {"image": example["image"][:200]}

    monkeypatch.setattr(tfds.features.FeaturesDict, "deserialize_example_np", cut)

    assert source.read_or_report(4) is None
    assert source.issues.counts() == {"unreadable image": 1}
    assert "5 of digits:64 (test)" in next(iter(source.issues)).message


def test_a_data_set_without_boxes_is_refused(empty_folder):
    prepare(Unboxed, empty_folder)

    with pytest.raises(InputError, match=r"'objects' with 'bbox' and 'label'; 'tfds:unboxed' has 'image', 'label'"):
        open_tfds("unboxed", "train")


def test_unknown_names_and_splits_are_answered_with_what_exists(data_folder):
    with pytest.raises(InputError, match="sizes '96', '64'"):
        open_digits("128", "test")
    with pytest.raises(InputError, match="splits 'train', 'val', 'test'"):
        open_digits("64", "validation")
    with pytest.raises(InputError, match="holds no images"):
        open_digits("64", "test[:0]")
    with pytest.raises(InputError, match="has the splits 'test'"):
        open_tfds("digit_scenes/64_test", "train")
    with pytest.raises(InputError, match="configurations '96', '64', '96_train'"):
        open_tfds("digit_scenes/32", "test")
    with pytest.raises(
        InputError, match=r"no data set 'cocoo'. Did you mean 'coco'.*Prepared under .*'digit_scenes/64_test'"
    ):
        open_tfds("cocoo/2017", "train")
    with pytest.raises(InputError, match=r"'coco/2017' is not prepared.*file_format='array_record'"):
        open_tfds("coco/2017", "train")


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(blocked))

    with pytest.raises(InputError, match=r"cannot be written to .*PIX2SEQ_DATA_DIR"):
        open_digits("64", "test")


def test_an_error_while_drawing_leaves_nothing_that_opens(empty_folder, monkeypatch):
    def fails_at_20(size, split, index):
        if index == 20:
            raise RuntimeError("power cut")
        return draw_scene(size, split, index)

    monkeypatch.setattr(digits_builder, "draw_scene", fails_at_20)
    with pytest.raises(RuntimeError, match="power cut"):
        open_digits("64", "test")
    assert not list(empty_folder.rglob("*.array_record*"))

    monkeypatch.setattr(digits_builder, "draw_scene", draw_scene)
    assert len(open_digits("64", "test").image_ids) == 300


def test_killed_preparations_and_two_at_once_do_no_harm(tmp_path):
    # The same seed in every process: TFDS would then give their temporary folders one name.
    program = """
import os, random, signal, sys
from pix2seq_keras.data.sources.digits import builder as digits_builder
random.seed(0)
draw = digits_builder.draw_scene
def draw_or_die(size, split, index):
    if index == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(size, split, index)
digits_builder.draw_scene = draw_or_die
digits_builder.DigitScenes(config="64_val", data_dir=sys.argv[1]).download_and_prepare()
"""

    def start(dies_at):
        arguments = [sys.executable, "-c", program, str(tmp_path), str(dies_at)]
        return subprocess.Popen(arguments, cwd=REPOSITORY, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})

    home = tmp_path / "digit_scenes" / "64_val"
    assert start(dies_at=20).wait() == -signal.SIGKILL
    assert not (home / "1.0.0").exists()
    assert list(home.glob("incomplete.*"))

    both = [start(dies_at=-1), start(dies_at=-1)]
    assert [process.wait() for process in both] == [0, 0]

    assert not list(home.glob("incomplete.*"))
    records = DigitScenes(config="64_val", data_dir=tmp_path).as_data_source("val")
    assert len(records) == 200
    np.testing.assert_array_equal(records[150]["image"], draw_scene("64", "val", 150).image)
