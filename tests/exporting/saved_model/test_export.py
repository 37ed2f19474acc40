"""Exported SavedModels: their signatures answer as the model does, and invalid options and images are refused."""

import io
import json
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras import Categories, InputError, Vocabulary, samplers
from pix2seq_keras.exporting.saved_model import export


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The folder of a version with all signatures."""
    return model.export(
        tmp_path_factory.mktemp("exports") / "tiny", version="next", verbose=False, cross_attention=True
    )


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported)).signatures


def test_images_of_any_size_in_one_batch_get_the_boxes_of_detect(model, signatures, images, png, assert_equals_detect):
    answer = signatures["serving_default"](image_bytes=tf.constant([png(image) for image in images]))

    assert_equals_detect(answer, model.detect(images))
    assert answer["detection_boxes"].shape == (3, 4, 4)
    assert (np.diff(answer["detection_scores"].numpy()) <= 0).all()


def test_the_tensor_signature_takes_a_batch_of_one_size(model, signatures, images, assert_equals_detect):
    batch = np.stack([images[0], images[0][::-1]])

    assert_equals_detect(signatures["tensor"](input_tensor=tf.constant(batch)), model.detect(list(batch)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have pixels"):
        signatures["tensor"](input_tensor=tf.zeros([1, 0, 5, 3], tf.uint8))
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 40 million pixels"):
        signatures["tensor"](input_tensor=tf.zeros([1, 1, 40_000_001, 3], tf.uint8))


def test_every_row_is_sampled_with_its_own_parameters(model, signatures, images, png, assert_equals_detect):
    rows = [(7, 0.4, 1.0), (8, 1.0, 1.7), (7, 0.9, 0.5)]
    seeds, top_p, temperature = (np.array(column) for column in zip(*rows, strict=True))

    answer = signatures["sample"](
        image_bytes=tf.constant([png(images[0])] * 3),
        seed=tf.constant(seeds, tf.int32),
        top_p=tf.constant(top_p, tf.float32),
        temperature=tf.constant(temperature, tf.float32),
    )

    for row, (seed, p, one_temperature) in enumerate(rows):
        alone = model.detect([images[0]], seed=seed, sampler=samplers.TopP(p, one_temperature))
        found = {name: answer[name] for name in answer if name.startswith(("detection", "num"))}
        assert_equals_detect(found, alone, slice(row, row + 1))
    assert answer["tokens"].shape == answer["log_probs"].shape == (3, 20)
    assert len({tuple(row) for row in answer["tokens"].numpy().tolist()}) == 3


@pytest.mark.parametrize(("top_p", "temperature"), [(0.0, 1.0), (1.1, 1.0), (np.nan, 1.0), (0.5, 0.0), (0.5, 2000.0)])
def test_sampling_parameters_out_of_range_are_refused(signatures, images, png, top_p, temperature):
    with pytest.raises(tf.errors.InvalidArgumentError, match="top_p must lie in"):
        signatures["sample"](
            image_bytes=tf.constant([png(images[0])]),
            seed=tf.constant([0]),
            top_p=tf.constant([top_p], tf.float32),
            temperature=tf.constant([temperature], tf.float32),
        )


def test_cross_attention_is_that_of_the_object_in_its_row(model, signatures, images, png):
    answer = signatures["cross_attention"](image_bytes=tf.constant([png(images[2])]))  # 32×32, the canvas itself

    canvas = images[2][None] / np.float32(255)
    generated = model.generate(canvas)
    tokens = np.concatenate([[[model.vocabulary.start_token]], generated["tokens"].numpy()[:, :-1]], 1)
    weights = model.cross_attention(canvas, tokens).numpy().mean((1, 2)).reshape(4, 5, 4, 4)
    probabilities = generated["class_probabilities"].numpy()[0].reshape(-1)
    order = np.argsort(-probabilities, kind="stable")[:4] // 3
    np.testing.assert_allclose(answer["attention"][0], weights[order], atol=1e-5)
    assert len(set(order)) > 1  # otherwise a mix-up of rows would not show
    np.testing.assert_allclose(answer["image_extent"], [[1.0, 1.0]])


def test_the_image_extent_is_the_part_of_the_canvas_without_padding(signatures, images, png):
    answer = signatures["cross_attention"](image_bytes=tf.constant([png(images[0])]))  # 64 wide, 48 high

    np.testing.assert_allclose(answer["image_extent"], [[0.75, 1.0]])


def test_the_description_names_everything_that_was_fixed(exported, signatures, model):
    (text,) = signatures["describe"](keys=tf.constant([""]))["description"].numpy()

    described = json.loads(text)
    assert described == json.loads((exported / "assets" / "pix2seq.json").read_text(encoding="utf-8"))
    assert described["categories"] == model.categories.get_config() and described["image_size"] == [32, 32]
    assert Vocabulary.from_config(described["vocabulary"]) == model.vocabulary
    assert described["options"]["sampler"] == {"name": "top_p", "p": 0.4, "temperature": 1.0}


def test_one_invalid_image_fails_its_batch_with_a_sentence(signatures, images, png):
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be a JPEG, PNG, GIF or BMP"):
        signatures["serving_default"](image_bytes=tf.constant([png(images[0]), b"text"]))
    large = io.BytesIO()
    Image.new("L", (8000, 6250)).save(large, "PNG")
    start = time.monotonic()
    with pytest.raises(tf.errors.InvalidArgumentError, match="40 million pixels"):
        signatures["serving_default"](image_bytes=tf.constant([large.getvalue()]))
    assert time.monotonic() - start < 10  # refused by its header, before pixels are decoded


@pytest.mark.parametrize(
    ("version", "folder", "replace"), [(None, "m", True), (7, "m/7", False), ("next", "m/1", False)]
)
def test_the_folder_is_replaced_unless_a_version_is_asked_for(
    tiny_model, tmp_path, monkeypatch, version, folder, replace
):
    written = []
    monkeypatch.setattr(export, "write_saved_model", lambda path, *rest, **more: written.append((path, more)))

    path = tiny_model.export(tmp_path / "m", version=version, verbose=False)

    assert path == tmp_path / folder
    assert written == [(path, {"replace": replace})]


def test_there_is_a_warm_up_request_of_one_row_for_every_signature(tiny_model, tmp_path, monkeypatch):
    written = {}
    monkeypatch.setattr(export, "write_saved_model", lambda folder, *rest, **more: written.update(enumerate(rest)))

    tiny_model.export(tmp_path / "m", cross_attention=True, verbose=False)

    signatures, _, requests = (written[place] for place in range(3))
    assert [name for name, _ in requests] == list(signatures)
    for name, inputs in requests:
        specs = {spec.name: spec for spec in signatures[name].inputs}
        assert set(inputs) == set(specs)
        for key, values in inputs.items():
            assert specs[key].is_compatible_with(tf.constant(values)) and len(values) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "onnx"}, "`format` must be 'tf_saved_model' or 'litert'.*Received: format='onnx'"),
        ({"default": "images"}, "`default` must be image_bytes or tensor. Received: default='images'"),
        ({"max_objects": 5}, "`max_objects` must be between 1 and 4"),
        ({"sampler": "best"}, "`sampler` must be one of"),
        ({"max_pixels": 0}, "`max_pixels` must be a positive whole number.*max_pixels=0"),
        ({"max_pixels": 2.5}, "`max_pixels` must be a positive whole number"),
        ({"seed": 2**31}, "`seed` must be a whole number of 32 bits"),
        ({"multi_label": True, "constrained": False}, "`multi_label=True` requires `constrained=True`"),
        ({"num_samples": 0}, "`num_samples` must be a whole number"),
        ({"num_samples": 2, "sampler": "greedy"}, "a sampler that draws"),
        ({"num_samples": 2, "cross_attention": True}, "`cross_attention=True` requires `num_samples=1`"),
        ({"num_samples": 3, "flip_test": True}, "an even `num_samples`"),
        ({"flip_test": True}, "an even `num_samples`"),
        ({"num_samples": 2, "flip_test": "no"}, "`flip_test` must be True or False. Received: flip_test='no'"),
        ({"version": 0}, "`version` must be a positive whole number"),
        ({"prompt": [[1]]}, "A saved_model is exported with default, .* Received: prompt"),
    ],
    ids=str,
)
def test_wrong_options_are_refused_before_anything_is_written(tiny_model, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        tiny_model.export(tmp_path / "m", **options)

    assert not list(tmp_path.iterdir())


def test_ids_that_float32_cannot_represent_are_refused(build_tiny_model, tmp_path):
    model = build_tiny_model(categories=Categories((1, 2, 2**24 + 1), ("a", "b", "c")))

    with pytest.raises(InputError, match="2²⁴"):
        model.export(tmp_path / "m")

    assert not list(tmp_path.iterdir())
