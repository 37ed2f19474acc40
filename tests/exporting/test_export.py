"""Exported models: what their signatures answer is what the model says, and bad options and images are refused."""

import io
import json
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras import Categories, InputError, Vocabulary, samplers

CATEGORIES = Categories(ids=(3, 5, 90), names=("cell", "Ei", "größer"))


@pytest.fixture(scope="module")
def model(build_tiny_model):
    return build_tiny_model(3, decoder_layers=2, categories=CATEGORIES)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The folder of a version with all signatures."""
    return model.export(tmp_path_factory.mktemp("exports") / "tiny", version="next", verbose=False, attend=True)


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported)).signatures


@pytest.fixture(scope="module")
def images():
    """Three images of different sizes and shapes, uint8."""
    rng = np.random.default_rng(5)
    small = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((6, 8), (9, 3), (5, 5))]
    sizes = ((64, 48), (20, 60), (32, 32))
    return [np.asarray(Image.fromarray(one).resize(size)) for one, size in zip(small, sizes, strict=True)]


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def assert_same(answer, detections, rows=slice(None)):
    """An answer of the graph equals what `detect` says, with ids and names instead of classes."""
    answer = {name: value.numpy()[rows] for name, value in answer.items()}
    used = detections["classes"] >= 0
    np.testing.assert_allclose(answer["detection_scores"], detections["scores"], atol=1e-5)
    np.testing.assert_allclose(answer["detection_boxes"], detections["boxes"], atol=1e-5)
    ids, names = np.array([0, *CATEGORIES.ids]), np.array(["", *CATEGORIES.names], object)
    np.testing.assert_array_equal(answer["detection_classes"], ids[detections["classes"] + 1])
    assert [[name.decode() for name in row] for row in answer["detection_names"]] == names[
        detections["classes"] + 1
    ].tolist()
    np.testing.assert_array_equal(answer["num_detections"], used.sum(-1))
    assert all(answer[name].dtype == np.float32 for name in answer if name != "detection_names")


def test_images_of_any_size_in_one_batch_get_the_boxes_of_detect(model, signatures, images):
    answer = signatures["serving_default"](image_bytes=tf.constant([png(image) for image in images]))
    assert_same(answer, model.detect(images))
    assert answer["detection_boxes"].shape == (3, 4, 4)
    assert (np.diff(answer["detection_scores"].numpy()) <= 0).all()


def test_the_tensor_signature_takes_a_batch_of_one_size(model, signatures, images):
    batch = np.stack([images[0], images[0][::-1]])
    assert_same(signatures["tensor"](input_tensor=tf.constant(batch)), model.detect(list(batch)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have pixels"):
        signatures["tensor"](input_tensor=tf.zeros([1, 0, 5, 3], tf.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match="40 million pixels at most"):
        signatures["tensor"](input_tensor=tf.zeros([1, 1, 40_000_001, 3], tf.uint8))


def test_every_row_is_sampled_its_own_way(model, signatures, images):
    rows = [(7, 0.4, 1.0), (8, 1.0, 1.7), (7, 0.9, 0.5)]
    seeds, top_p, temperature = (np.array(column) for column in zip(*rows, strict=True))
    answer = signatures["sample"](
        image_bytes=tf.constant([png(images[0])] * 3),
        seed=tf.constant(seeds, tf.int32),
        top_p=tf.constant(top_p, tf.float32),
        temperature=tf.constant(temperature, tf.float32),
    )
    for row, (seed, p, heat) in enumerate(rows):
        alone = model.detect([images[0]], seed=seed, sampler=samplers.TopP(p, heat))
        found = {name: answer[name] for name in answer if name.startswith(("detection", "num"))}
        assert_same(found, alone, slice(row, row + 1))
    assert answer["tokens"].shape == answer["log_probs"].shape == (3, 20)
    assert len({tuple(row) for row in answer["tokens"].numpy().tolist()}) == 3


@pytest.mark.parametrize(("top_p", "temperature"), [(0.0, 1.0), (1.1, 1.0), (np.nan, 1.0), (0.5, 0.0), (0.5, 2000.0)])
def test_impossible_sampling_is_refused(signatures, images, top_p, temperature):
    with pytest.raises(tf.errors.InvalidArgumentError, match="top_p must lie in"):
        signatures["sample"](
            image_bytes=tf.constant([png(images[0])]),
            seed=tf.constant([0]),
            top_p=tf.constant([top_p], tf.float32),
            temperature=tf.constant([temperature], tf.float32),
        )


def test_attention_is_of_the_object_in_its_row(model, signatures, images):
    answer = signatures["attend"](image_bytes=tf.constant([png(images[2])]))  # 32×32, the canvas itself
    generated = model.generate(images[2][None] / np.float32(255))
    shown = np.concatenate([[[model.vocabulary.start_token]], generated["tokens"].numpy()[:, :-1]], 1)
    looked = model.attend(images[2][None] / np.float32(255), shown).numpy().mean((1, 2)).reshape(4, 5, 4, 4)
    probabilities = generated["class_probabilities"].numpy()[0].reshape(-1)
    order = np.argsort(-probabilities, kind="stable")[:4] // 3
    np.testing.assert_allclose(answer["attention"][0], looked[order], atol=1e-5)
    assert len(set(order)) > 1  # so that rows could be mixed up
    np.testing.assert_allclose(answer["image_extent"], [[1.0, 1.0]])


def test_the_image_extent_tells_what_is_padding(signatures, images):
    answer = signatures["attend"](image_bytes=tf.constant([png(images[0])]))  # 64×48 pixels, width first
    np.testing.assert_allclose(answer["image_extent"], [[0.75, 1.0]])


def test_the_description_names_everything_that_was_fixed(exported, signatures, model):
    (text,) = signatures["describe"](keys=tf.constant([""]))["description"].numpy()
    described = json.loads(text)
    assert described == json.loads((exported / "assets" / "pix2seq.json").read_text(encoding="utf-8"))
    assert described["categories"] == CATEGORIES.get_config() and described["image_size"] == [32, 32]
    assert Vocabulary.from_config(described["vocabulary"]) == model.vocabulary
    assert described["options"]["sampler"] == "TopP(p=0.4, temperature=1.0)"


def test_the_default_signature_can_take_tensors_and_the_reading_be_the_published_way(model, tmp_path, images):
    how = {"constrained": False, "max_objects": 2, "sampler": "greedy"}
    folder = model.export(tmp_path / "m", default="tensor", verbose=False, **how)
    signatures, expected = tf.saved_model.load(str(folder)).signatures, model.detect(images[:1], **how)
    assert folder == tmp_path / "m"
    assert set(signatures) == {"serving_default", "tensor", "image_bytes", "sample", "describe"}
    assert_same(signatures["serving_default"](input_tensor=tf.constant(images[0][None])), expected)
    assert_same(signatures["image_bytes"](image_bytes=tf.constant([png(images[0])])), expected)


@pytest.mark.parametrize("how", [{"readings": 3}, {"readings": 4, "mirror": True}])
def test_several_readings_agree_inside_the_graph(model, tmp_path, images, how):
    how = {**how, "sampler": samplers.TopP(1.0)}  # so that another seed is seen
    folder = model.export(tmp_path / "m", **how, max_objects=3, verbose=False)
    signatures = tf.saved_model.load(str(folder)).signatures
    expected = model.detect(images, **how, max_objects=3)
    answer = signatures["serving_default"](image_bytes=tf.constant([png(image) for image in images]))
    assert_same(answer, expected)
    assert answer["detection_boxes"].shape == (3, 3 * how["readings"], 4)
    options = json.loads((folder / "assets" / "pix2seq.json").read_text(encoding="utf-8"))["options"]
    assert (options["readings"], options["mirror"]) == (how["readings"], how.get("mirror", False))
    row = {"seed": [0], "top_p": [0.4], "temperature": [1.0]}
    sampled = signatures["sample"](
        image_bytes=tf.constant([png(images[0])]), **{name: tf.constant(value) for name, value in row.items()}
    )
    assert sampled["tokens"].shape == (1, 15)  # a sequence of one's own is one reading


def test_one_bad_image_fails_its_batch_with_a_sentence(signatures, images):
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be a JPEG, PNG, GIF or BMP"):
        signatures["serving_default"](image_bytes=tf.constant([png(images[0]), b"text"]))
    large = io.BytesIO()
    Image.new("L", (8000, 6250)).save(large, "PNG")
    start = time.monotonic()
    with pytest.raises(tf.errors.InvalidArgumentError, match="40 million pixels"):
        signatures["serving_default"](image_bytes=tf.constant([large.getvalue()]))
    assert time.monotonic() - start < 10  # told from the header


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "onnx"}, "exported as tf_saved_model or litert"),
        ({"default": "images"}, "image_bytes or tensor"),
        ({"max_objects": 5}, "max_objects must be between 1 and 4"),
        ({"sampler": "best"}, "Unknown sampler"),
        ({"max_pixels": 0}, "max_pixels must be a positive"),
        ({"seed": 2**31}, "32 bits"),
        ({"multi_label": True, "constrained": False}, "Several labels"),
        ({"readings": 0}, "readings must be a whole number"),
        ({"readings": 2, "sampler": "greedy"}, "a sampler that draws"),
        ({"readings": 2, "attend": True}, "not of what several agree on"),
        ({"readings": 3, "mirror": True}, "must be even"),
        ({"mirror": True}, "must be even"),
        ({"readings": 2, "mirror": "no"}, "mirror must be True or False. Received: mirror='no'"),
        ({"input_signature": []}, "signatures of an exported Pix2Seq are fixed"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(model, tmp_path, options, said):
    with pytest.raises(InputError, match=said):
        model.export(tmp_path / "m", **options)
    assert not list(tmp_path.iterdir())


def test_ids_that_float32_cannot_hold_are_refused(build_tiny_model, tmp_path):
    model = build_tiny_model(categories=Categories((1, 2, 2**24 + 1), ("a", "b", "c")))
    with pytest.raises(InputError, match="2²⁴"):
        model.export(tmp_path / "m")
