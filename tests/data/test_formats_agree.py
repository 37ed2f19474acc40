"""The same images with the same labels give the same examples in every format.

The four data sets are written by this module, as other programs write them, and not by the package's conversion.
"""

import io
import json

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from pix2seq_keras.data import load, open_source

COUNT = 20
NAMES = ("bird", "cat", "dog")  # in alphabetical order, as in VOC


def drawn(index):
    """Image `index` as a file, its size, and its objects: class and left, top, right, bottom in whole pixels."""
    rng = np.random.default_rng([7, index])
    width, height = int(rng.integers(20, 60)), int(rng.integers(20, 60))
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    objects = []
    for _ in range(index % 4):
        left, top = int(rng.integers(0, width - 1)), int(rng.integers(0, height - 1))
        right, bottom = int(rng.integers(left + 1, width + 1)), int(rng.integers(top + 1, height + 1))
        objects.append((int(rng.integers(3)), left, top, right, bottom))
    if index == 3:
        objects[0] = (0, 0, 0, width, height)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg" if index % 2 else "png")
    return file.getvalue(), (f"{index:03d}.jpg" if index % 2 else f"{index:03d}.png"), width, height, objects


def write_coco(folder):
    (folder / "annotations").mkdir(parents=True)
    (folder / "train").mkdir()
    images, annotations = [], []
    for index in range(COUNT):
        data, name, width, height, objects = drawn(index)
        (folder / "train" / name).write_bytes(data)
        images.append({"id": index + 1, "file_name": name, "width": width, "height": height})
        for label, left, top, right, bottom in objects:
            box = [left, top, right - left, bottom - top]
            record = {"id": len(annotations) + 1, "image_id": index + 1, "category_id": label + 1, "bbox": box}
            annotations.append(record | {"area": box[2] * box[3], "iscrowd": 0})
    categories = [{"id": i, "name": name} for i, name in enumerate(NAMES, 1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations" / "instances_train.json").write_text(json.dumps(document))
    return f"coco:{folder}"


def write_voc(folder):
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    for index in range(COUNT):
        data, name, width, height, objects = drawn(index)
        (folder / "JPEGImages" / name).write_bytes(data)
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        found = "".join(
            f"<object><name>{NAMES[label]}</name><difficult>0</difficult><bndbox><xmin>{left + 1}</xmin>"
            f"<ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
            for label, left, top, right, bottom in objects
        )
        text = f"<annotation><filename>{name}</filename>{size}{found}</annotation>"
        (folder / "Annotations" / name).with_suffix(".xml").write_text(text)
    lines = "".join(f"{index:03d}\n" for index in range(COUNT))
    (folder / "ImageSets" / "Main" / "train.txt").write_text(lines)
    return f"voc:{folder}"


def write_yolo(folder):
    for part in ("images/train", "labels/train"):
        (folder / part).mkdir(parents=True)
    for index in range(COUNT):
        data, name, width, height, objects = drawn(index)
        (folder / "images" / "train" / name).write_bytes(data)
        rows = [
            f"{label} {(left + right) / 2 / width:.6f} {(top + bottom) / 2 / height:.6f} "
            f"{(right - left) / width:.6f} {(bottom - top) / height:.6f}\n"
            for label, left, top, right, bottom in objects
        ]
        if rows:
            (folder / "labels" / "train" / name).with_suffix(".txt").write_text("".join(rows))
    (folder / "data.yaml").write_text(f"train: images/train\nval: images/train\nnames: {list(NAMES)}\n")
    return f"yolo:{folder}/data.yaml"


class TwentyImages(tfds.core.GeneratorBasedBuilder):
    """The images with the features of TFDS's detection data sets."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {}

    def _info(self):
        objects = {"bbox": tfds.features.BBoxFeature(), "label": tfds.features.ClassLabel(names=list(NAMES))}
        features = {"image": tfds.features.Image(), "objects": tfds.features.Sequence(objects)}
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for index in range(COUNT):
            data, _, width, height, objects = drawn(index)
            yield (
                index,
                {
                    "image": data,
                    "objects": [
                        {"bbox": tfds.features.BBox(t / height, x / width, b / height, r / width), "label": label}
                        for label, x, t, r, b in objects
                    ],
                },
            )


def write_tfds(folder):
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    TwentyImages(data_dir=folder).download_and_prepare(file_format="array_record", download_config=config)
    return "tfds:twenty_images"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("same")
    writers = {"coco": write_coco, "voc": write_voc, "yolo": write_yolo, "tfds": write_tfds}
    texts = {kind: write(folder / kind) for kind, write in writers.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIX2SEQ_DATA_DIR", str(folder / "tfds"))
        yield texts


# COCO, VOC and TFDS keep these boxes exactly; YOLO's six decimals are precise to a thousandth of these pixels.
PRECISION = {"voc": 0, "tfds": 0, "yolo": 1.1e-6}


@pytest.mark.parametrize("kind", PRECISION)
def test_every_format_gives_the_same_examples_as_coco(sources, kind):
    coco, other = open_source(sources["coco"], "train"), open_source(sources[kind], "train")

    assert other.categories.names == coco.categories.names == NAMES
    np.testing.assert_array_equal(other.image_ids, coco.image_ids)
    np.testing.assert_array_equal(other.object_counts, coco.object_counts)
    np.testing.assert_array_equal(other.annotated, coco.annotated)
    np.testing.assert_array_equal(other.sizes, coco.sizes)
    problems = other.issues.counts("problem") | coco.issues.counts("problem")
    assert problems == {}
    pairs = zip(load(sources["coco"], "train"), load(sources[kind], "train"), strict=True)
    for index, (expected, example) in enumerate(pairs):
        for key, value in expected.items():
            value, found = value.numpy(), example[key].numpy()
            assert found.dtype == value.dtype and found.shape == value.shape
            if key == "boxes":
                np.testing.assert_allclose(found, value, rtol=0, atol=PRECISION[kind])
            elif key == "area":
                np.testing.assert_allclose(found, value, rtol=max(1e-5, 300 * PRECISION[kind]))
            else:
                np.testing.assert_array_equal(found, value)
        for key, value in other.objects(index).items():
            np.testing.assert_array_equal(value, example[key].numpy())


def test_the_same_slice_of_every_format_has_the_same_images(sources):
    for split in ("train[:80%]", "train[80%:]", "train[3:9]"):
        ids = {kind: open_source(text, split).image_ids.tolist() for kind, text in sources.items()}
        assert len({tuple(of_format) for of_format in ids.values()}) == 1, ids


def test_different_formats_mix_to_one_data_set(sources):
    mixture = "+".join(f"{weight}*[{text}]" for weight, text in zip((1, 2, 3, 4), sources.values(), strict=True))

    source = open_source(f"mix:{mixture}", "train")

    # Each image with objects (15) comes as often as the share of its data set, each of the 5 others once.
    assert len(source) == 15 * (1 + 2 + 3 + 4) + 4 * 5
    assert source.annotated.sum() == 150 and len(set(source.image_ids.tolist())) == len(source)
    assert source.read(7)["image"].shape[:2] == tuple(source.sizes[7])
