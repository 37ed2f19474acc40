"""TFDS data sets, prepared as ArrayRecord or TFRecord."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pix2seq_keras.data.sources.tfds.read import open_tfds
from pix2seq_keras.errors import InputError


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
            boxes = [tfds.features.BBox(0.0, 0.25, 0.5, 0.75 + row / 16) for row in range(index)]
            image = np.full((20, 40, 3), 50 * index, np.uint8)
            yield index, {"image": image, "objects": [{"bbox": box, "label": index % 2} for box in boxes]}


class Unboxed(PlainBoxes):
    """A data set for classification."""

    def _info(self):
        features = {"image": tfds.features.Image(), "label": tfds.features.ClassLabel(num_classes=2)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self):
        yield 0, {"image": np.zeros((4, 4, 3), np.uint8), "label": 0}


def prepare(builder_class, folder, file_format="array_record"):
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    builder = builder_class(data_dir=folder)
    builder.download_and_prepare(file_format=file_format, download_config=config)
    return builder


def test_missing_ids_crowds_and_areas_have_defaults(empty_folder):
    prepare(PlainBoxes, empty_folder)

    source = open_tfds("plain_boxes", "train")

    np.testing.assert_array_equal(source.image_ids, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(source.object_counts, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(source.annotated, [False, True, True, True, True])
    assert source.categories.names == ("a", "b")
    example = source.read(3)
    np.testing.assert_array_equal(example["boxes"], [[0, 0.25, 0.5, right] for right in (0.75, 0.8125, 0.875)])
    np.testing.assert_array_equal(example["area"], [10 * 20.0, 10 * 22.5, 10 * 25.0])
    np.testing.assert_array_equal(example["is_crowd"], [False] * 3)
    assert example["image"].shape == (20, 40, 3) and abs(int(example["image"].mean()) - 150) <= 1
    assert source.read(0)["boxes"].shape == (0, 4)


def test_tfrecord_files_give_the_same_examples_as_array_record(empty_folder, tmp_path_factory, monkeypatch):
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


def test_damaged_or_missing_files_are_named(empty_folder):
    builder = prepare(PlainBoxes, empty_folder)
    file = next(Path(builder.data_dir).glob("*.array_record*"))

    file.write_bytes(file.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"damaged or missing .*prepare the data set again"):
        open_tfds("plain_boxes", "train")
    file.unlink()
    with pytest.raises(InputError, match=r"damaged or missing .*prepare the data set again"):
        open_tfds("plain_boxes", "train")


def test_a_data_set_without_boxes_is_refused(empty_folder):
    prepare(Unboxed, empty_folder)

    with pytest.raises(InputError, match=r"'bbox' and 'label'. Received: 'image', 'label' of 'tfds:unboxed'"):
        open_tfds("unboxed", "train")


def test_unknown_names_and_splits_are_refused_with_those_there_are(data_folder):
    with pytest.raises(InputError, match="has no images"):
        open_tfds("digit_scenes/64_test", "test[:0]")
    with pytest.raises(InputError, match="must be one of 'test'"):
        open_tfds("digit_scenes/64_test", "train")
    with pytest.raises(InputError, match="configurations '96', '64', '96_train'"):
        open_tfds("digit_scenes/32", "test")
    with pytest.raises(
        InputError, match=r"no data set 'cocoo'. Did you mean 'coco'.*Prepared under .*'digit_scenes/64_test'"
    ):
        open_tfds("cocoo/2017", "train")
    with pytest.raises(InputError, match=r"'coco/2017' is not prepared.*file_format='array_record'"):
        open_tfds("coco/2017", "train")
