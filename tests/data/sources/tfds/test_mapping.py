"""TFDS data sets whose features have other names, or boxes in another format."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

BOX = (0.2, 0.25, 0.6, 0.75)  # rel_yxyx


def builder(name, features, examples):
    """A builder class with one split."""

    def info(self):
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    body = {
        "VERSION": tfds.core.Version("1.0.0"),
        "url_infos": {},
        "__module__": __name__,
        "_info": info,
        "_split_generators": lambda self, dl_manager: {"train": self._generate_examples()},
        "_generate_examples": lambda self: iter(enumerate(examples)),
    }
    with tfds.core.registered.skip_registration():  # otherwise a name could be used only once
        return type(name, (tfds.core.GeneratorBasedBuilder,), body)


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))

    def prepare_with(name, features, examples):
        config = tfds.download.DownloadConfig(try_download_gcs=False)
        made = builder(name, features, examples)(data_dir=tmp_path)
        made.download_and_prepare(file_format="array_record", download_config=config)

    return prepare_with


IMAGE = np.zeros((20, 40, 3), np.uint8)


def test_faces_without_labels_are_one_class(prepare):
    features = {"image": tfds.features.Image(), "faces": tfds.features.Sequence({"bbox": tfds.features.BBoxFeature()})}
    faces = [{"bbox": tfds.features.BBox(*BOX)}, {"bbox": tfds.features.BBox(0.0, 0.0, 1.0, 1.0)}]
    prepare("Faces", features, [{"image": IMAGE, "faces": faces[:count]} for count in (2, 0, 1)])

    source = open_source("tfds:faces?objects=faces&class=face", "train")

    assert source.categories.names == ("face",) and source.object_counts.tolist() == [2, 0, 1]
    np.testing.assert_allclose(source.read(0)["boxes"], [BOX, (0, 0, 1, 1)])
    assert source.sizes.tolist() == [[20, 40]] * 3
    with pytest.raises(InputError, match=r"Received: 'faces', 'image' of 'tfds:faces'.*'tfds:faces\?objects"):
        open_source("tfds:faces", "train")


@pytest.mark.parametrize(
    ("box", "box_format"),
    [
        ((10, 4, 30, 12), "xyxy"),
        ((10, 4, 20, 8), "xywh"),
        ((4, 10, 12, 30), "yxyx"),
        ((0.25, 0.2, 0.75, 0.6), "rel_xyxy"),
        ((0.25, 0.2, 0.5, 0.4), "rel_xywh"),
    ],
)
def test_other_names_and_box_formats_are_mapped(prepare, box, box_format):
    things = {
        "box": tfds.features.Tensor(shape=(4,), dtype=np.float32),
        "type": tfds.features.ClassLabel(names=["car", "van"]),
        "hidden": np.bool_,
    }
    features = {"photo": tfds.features.Image(), "scene": {"things": tfds.features.Sequence(things)}}
    thing = {"box": np.float32(box), "type": 1}
    example = {"photo": IMAGE, "scene": {"things": [{**thing, "hidden": False}, {**thing, "hidden": True}]}}
    prepare("Street", features, [example])

    mapping = f"image=photo&objects=scene/things&bbox=box&label=type&is_crowd=hidden&format={box_format}"
    source = open_source(f"tfds:street?{mapping}", "train")
    example, objects = source.read(0), source.objects(0)

    np.testing.assert_allclose(example["boxes"], [BOX] * 2, rtol=1e-6)
    np.testing.assert_allclose(example["area"], [160, 160], rtol=1e-5)
    assert example["classes"].tolist() == [1, 1] and example["is_crowd"].tolist() == [False, True]
    assert source.object_counts.tolist() == [1]
    for key, value in objects.items():
        np.testing.assert_array_equal(value, example[key])


def test_boxes_and_labels_may_be_beside_the_image(prepare):
    features = {
        "image": tfds.features.Image(),
        "boxes": tfds.features.Sequence(tfds.features.BBoxFeature()),
        "labels": tfds.features.Sequence(tfds.features.ClassLabel(names=["a", "b"])),
    }
    prepare("Flat", features, [{"image": IMAGE, "boxes": [tfds.features.BBox(*BOX)], "labels": [1]}])

    source = open_source("tfds:flat?objects=.&bbox=boxes&label=labels", "train")

    np.testing.assert_allclose(source.read(0)["boxes"], [BOX])
    assert source.read(0)["classes"].tolist() == [1] and source.object_counts.tolist() == [1]


def test_exact_duplicates_are_dropped_counted_once_and_noted(prepare):
    one = {
        "bbox": tfds.features.Tensor(shape=(4,), dtype=np.int64),
        "label": tfds.features.ClassLabel(names=["a", "b"]),
    }
    features = {"image": tfds.features.Image(), "objects": tfds.features.Sequence(one)}
    boxes = [([4, 10, 12, 30], 0), ([4, 10, 12, 30], 1), ([4, 10, 12, 30], 0), ([0, 0, 9, 9], 0)]
    objects = [{"bbox": np.array(box), "label": label} for box, label in boxes]
    prepare("Twice", features, [{"image": IMAGE, "objects": objects}])

    source = open_source("tfds:twice?format=yxyx", "train")

    assert source.object_counts.tolist() == [3] and source.read(0)["classes"].tolist() == [0, 1, 0]
    assert source.issues.counts() == {"duplicate box": 1}


def test_difficult_objects_of_voc_are_crowds_and_unknown_labels_are_dropped(prepare):
    things = {
        "bbox": tfds.features.BBoxFeature(),
        "label": tfds.features.ClassLabel(names=["a"]),
        "is_difficult": np.bool_,
    }
    features = {"image": tfds.features.Image(), "objects": tfds.features.Sequence(things)}
    objects = [
        {"bbox": tfds.features.BBox(*BOX), "label": label, "is_difficult": difficult}
        for label, difficult in ((0, False), (0, True), (-1, False))
    ]
    prepare("Hard", features, [{"image": IMAGE, "objects": objects}])

    source = open_source("tfds:hard", "train")

    assert source.read(0)["is_crowd"].tolist() == [False, True] and source.object_counts.tolist() == [1]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("things=a", "KEY one of 'image', 'id'"),
        ("bbox", "KEY=FEATURE"),
        ("bbox=corners", "'objects' of 'tfds:plain' with 'bbox', 'label'"),
        ("objects=nothing", "Received: 'image', 'objects' of 'tfds:plain'"),
        ("is_crowd=group", "Received: is_crowd='group'"),
        ("format=polar", "`format` must be one of 'yxyx', 'xyxy', 'xywh'"),
        ("label=bbox", "must be a ClassLabel"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_features_there_are(prepare, mapping, words):
    things = {"bbox": tfds.features.BBoxFeature(), "label": tfds.features.ClassLabel(names=["a"])}
    features = {"image": tfds.features.Image(), "objects": tfds.features.Sequence(things)}
    prepare("Plain", features, [{"image": IMAGE, "objects": [{"bbox": tfds.features.BBox(*BOX), "label": 0}]}])

    with pytest.raises(InputError, match=words):
        open_source(f"tfds:plain?{mapping}", "train")
