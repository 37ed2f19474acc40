"""Exporting to TFLite: the file detects what the model detects."""

import json
import zipfile

import numpy as np
import pytest

# isort: off
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.exporting.tflite.export import PAD_VALUE
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

# isort: on


@pytest.fixture(scope="module")
def canvases():
    """Uint8 images of the canvas's size, (6, 32, 32, 3)."""
    rng = np.random.default_rng(1)
    ramp = np.linspace(0, 1, 32)[None, :, None, None] * rng.uniform(0, 1, (6, 1, 1, 3))
    return (255 * (0.5 * ramp + 0.5 * rng.uniform(0, 1, (6, 32, 32, 3)))).astype(np.uint8)


def _same(found, expected):
    np.testing.assert_array_equal(found["classes"], expected["classes"])
    np.testing.assert_array_equal(found["num_detections"], expected["num_detections"])
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-5)
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=5e-3)


def test_the_file_detects_what_the_model_detects(tiny_tflite, canvases):
    model, path = tiny_tflite
    runner = Interpreter(str(path)).get_signature_runner("serving_default")

    found = [runner(images=canvas[None], unpadded_size=np.array([[32, 32]], np.int32)) for canvas in canvases]

    expected = model.detect(list(canvases), seed=3)
    assert (expected["classes"] >= 0).any() and len(np.unique(expected["boxes"], axis=0)) > 1
    ids = np.array([0, *model.categories.ids])
    for row, one in enumerate(found):
        assert {name: (one[name].shape, one[name].dtype) for name in one} == {
            "detection_boxes": ((1, 4, 4), np.float32),
            "detection_classes": ((1, 4), np.float32),
            "detection_scores": ((1, 4), np.float32),
            "num_detections": ((1,), np.float32),
        }
        np.testing.assert_array_equal(one["detection_classes"][0], ids[expected["classes"][row] + 1])
        np.testing.assert_allclose(one["detection_boxes"][0], expected["boxes"][row], atol=1e-5)
        np.testing.assert_allclose(one["detection_scores"][0], expected["scores"][row], atol=5e-3)
        assert one["num_detections"][0] == expected["num_detections"][row]


def test_boxes_are_relative_to_the_image_on_the_canvas(tiny_tflite, canvases):
    runner = Interpreter(str(tiny_tflite[1])).get_signature_runner("serving_default")
    detect = lambda size: runner(images=canvases[:1], unpadded_size=np.array([size], np.int32))["detection_boxes"][0]

    whole, part, none = detect((32, 32)), detect((16, 24)), detect((0, -7))

    np.testing.assert_allclose(part, np.clip(whole * np.array([2, 4 / 3, 2, 4 / 3]), 0, 1), atol=1e-6)
    assert np.isfinite(none).all()


def test_the_file_describes_itself_and_how_images_are_fitted_to_its_canvas(tiny_tflite):
    path = tiny_tflite[1]

    with zipfile.ZipFile(path) as archive:
        described, labels = json.loads(archive.read("pix2seq.json")), archive.read("labels.txt").decode()

    assert labels == "red\ngreen\nblue\n"
    assert described["format"] == "pix2seq_keras" and described["preset"] == "tiny"
    assert described["categories"] == {"ids": [1, 5, 9], "names": ["red", "green", "blue"]}
    assert described["options"]["seed"] == 3 and described["options"]["max_objects"] == 4
    assert described["quantize"] == "none"
    assert described["input"]["images"]["shape"] == [1, 32, 32, 3]
    assert abs(described["input"]["pad_value"] - 0.3 * 255) <= 0.5


def test_the_described_canvas_is_that_of_the_package():
    from pix2seq_keras.inference.tflite import canvas_pixels

    canvas, unpadded = canvas_pixels(np.full((40, 20, 3), 200, np.uint8), (32, 48))

    assert unpadded.tolist() == [32, 16]
    assert (canvas[:, :16] == 200).all() and (canvas[:, 16:] == PAD_VALUE).all()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("model.bin", {}, "ends in .tflite"),
        ("model.tflite", {"quantize": "int4"}, "none, float16, dynamic"),
        ("model.tflite", {"quantize": None}, "none, float16, dynamic"),
        ("model.tflite", {"default": "tensor"}, "`default` requires"),
        ("model.tflite", {"cross_attention": True}, "`cross_attention` requires"),
        ("model.tflite", {"num_samples": 2}, "`num_samples` must be 1.*Received: num_samples=2, flip_test=False"),
        (
            "model.tflite",
            {"num_samples": 2, "flip_test": True},
            "`num_samples` must be 1.*flip_test=True. Export a SavedModel",
        ),
        ("model.tflite", {"max_objects": 1000}, "max_objects"),
        ("model.tflite", {"sampler": "best"}, "`sampler` must be one of"),
        ("model.tflite", {"seed": 0.5}, "seed"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_converted(tiny_model, tmp_path, name, options, message):
    with pytest.raises(InputError, match=message):
        tiny_model.export(tmp_path / name, "litert", verbose=False, **options)

    assert not list(tmp_path.iterdir())


@pytest.mark.large
def test_a_sampler_that_tflite_cannot_run_is_named_and_nothing_is_written(tiny_model, tmp_path):
    def sampler(logits, uniform):
        return tf.bitwise.bitwise_and(tf.argmax(logits, -1, tf.int32), 255)

    with pytest.raises(InputError, match="BitwiseAnd"):
        tiny_model.export(tmp_path / "model.tflite", "litert", verbose=False, sampler=sampler)

    assert not list(tmp_path.iterdir())


@pytest.mark.large
@pytest.mark.parametrize(
    "options",
    [
        {"sampler": "greedy", "max_objects": 2},
        {"sampler": "top_k"},
        {"sampler": "beam_search"},
        {"stop_at_end": True, "end_bias": -0.5},
        {"coordinate_window": 0.2},
        {"constrained": False, "stop_at_end": True, "seed": -3},
        {"multi_label": False},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_way_of_decoding_converts(build_tiny_model, canvases, tmp_path, options):
    model = build_tiny_model(seed=1)

    path = model.export(tmp_path / "model.tflite", "litert", verbose=False, **options)

    _same(open_model(path).detect(list(canvases)), model.detect(list(canvases), **options))


@pytest.mark.large
def test_a_model_of_mixed_precision_is_exported_in_float32(build_tiny_model, canvases, tmp_path):
    mixed, exact = build_tiny_model(seed=0, dtype="mixed_bfloat16"), build_tiny_model(seed=0)

    path = mixed.export(tmp_path / "model.tflite", "litert", verbose=False)

    _same(open_model(path).detect(list(canvases)), exact.detect(list(canvases)))


@pytest.mark.large
def test_quantised_files_of_the_shipped_model_detect_nearly_the_same(tmp_path):
    from pix2seq_keras import Pix2Seq, data
    from pix2seq_keras.evaluation import evaluate_source

    model, source = Pix2Seq.from_preset("digits_tiny"), data.open_source("digits", "test")
    score = lambda detector: evaluate_source(detector, source, 32, 100, progress=False)[0]["AP"]
    expected = score(model)
    paths = {
        name: model.export(tmp_path / f"{name}.tflite", "litert", verbose=False, quantize=name)
        for name in ("none", "float16", "dynamic")
    }
    sizes = {name: path.stat().st_size for name, path in paths.items()}

    assert sizes["float16"] <= 0.6 * sizes["none"] and sizes["dynamic"] <= 0.45 * sizes["none"]
    for name, tolerance in (("none", 0.001), ("float16", 0.006), ("dynamic", 0.03)):  # of a hundred images only
        assert abs(score(open_model(paths[name])) - expected) <= tolerance
