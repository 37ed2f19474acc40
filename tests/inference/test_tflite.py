"""`.tflite` files as detectors."""

import json

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.tflite.write import read_tflite_description, write_tflite
from pix2seq_keras.inference import open_model
from pix2seq_keras.inference.tflite import TFLiteDetector, open_tflite


@pytest.fixture(scope="module")
def detector(tiny_tflite):
    return open_tflite(tiny_tflite[1])


@pytest.fixture(scope="module")
def images():
    """Images of several sizes, none of the canvas's."""
    rng = np.random.default_rng(0)
    small = [rng.integers(0, 256, (4, 5, 3), dtype=np.uint8) for _ in range(4)]
    sizes = [(40, 64), (64, 64), (20, 10), (90, 30)]
    return [
        np.asarray(Image.fromarray(one).resize(size[::-1], Image.Resampling.BICUBIC))
        for one, size in zip(small, sizes, strict=True)
    ]


def test_a_file_detects_as_its_model_does(tiny_tflite, detector, images):
    model, _ = tiny_tflite

    found, expected = detector.detect(images), model.detect(images, seed=3)

    assert {name: values.dtype for name, values in found.items()} == {n: v.dtype for n, v in expected.items()}
    # The canvas is rounded to whole numbers, so that a near tie may fall the other way.
    same = (np.abs(found["boxes"] - expected["boxes"]).max(-1) < 1e-5) & (found["classes"] == expected["classes"])
    assert same.mean() >= 0.75


def test_a_ref_that_ends_in_tflite_is_opened(tiny_tflite):
    opened = open_model(str(tiny_tflite[1]))

    assert isinstance(opened, TFLiteDetector)
    assert opened.categories.names == ("red", "green", "blue")
    assert opened.vocabulary == tiny_tflite[0].vocabulary
    assert opened.image_size == (32, 32)


def test_every_form_of_image_is_accepted_and_low_scores_are_dropped(detector, images):
    expected = detector.detect(images[:2])
    threshold = float(np.median(expected["scores"]))

    found = detector.detect((Image.fromarray(image) for image in images[:2]), threshold=threshold)

    kept = expected["scores"] >= threshold
    np.testing.assert_array_equal(found["classes"], np.where(kept, expected["classes"], -1))
    with pytest.raises(InputError, match="Received: a dict"):
        detector.detect({"images": images})


def test_paths_arrays_and_lists_give_the_same(detector, images, tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(images[0]).save(path)

    alone, listed, from_file = detector.detect(images[0]), detector.detect(images, batch_size=2), detector.detect(path)

    for name in alone:
        np.testing.assert_array_equal(alone[name][0], listed[name][0])
        np.testing.assert_array_equal(alone[name], from_file[name])


def test_the_number_of_threads_does_not_change_detections(detector, images):
    one = detector.detect(images, num_threads=1)

    two = detector.detect(images, num_threads=2)

    assert detector.num_threads == 2
    np.testing.assert_array_equal(one["classes"], two["classes"])
    np.testing.assert_allclose(one["boxes"], two["boxes"], atol=1e-6)


def test_options_fixed_at_export_cannot_be_changed(detector, images):
    detector.detect(images[:1], max_objects=4, sampler="top_p", seed=3, jit_compile=False)

    for options in ({"max_objects": 3}, {"sampler": "greedy"}, {"seed": 4}, {"temperature": 2.0}):
        with pytest.raises(InputError, match=next(iter(options))):
            detector.detect(images[:1], **options)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([], {}, "at least one image"),
        (np.zeros((1, 32, 32, 3), np.float32), {}, "uint8"),
        ("no_such_image.png", {}, "no_such_image.png"),
        (np.zeros((8, 8, 3), np.uint8), {"batch_size": 0}, "batch_size"),
        (np.zeros((8, 8, 3), np.uint8), {"num_samples": 2, "flip_test": True}, "was exported with num_samples=1"),
        (np.zeros((8, 8, 3), np.uint8), {"num_threads": 0}, "num_threads"),
        (np.zeros((8, 8, 3), np.uint8), {"num_threads": 1.5}, "num_threads"),
    ],
)
def test_images_and_arguments_that_are_not_valid_are_refused(detector, images, options, message):
    with pytest.raises(InputError, match=message):
        detector.detect(images, **options)


def test_a_damaged_file_is_refused_with_its_name(tiny_tflite, tmp_path):
    whole = tiny_tflite[1].read_bytes()
    cut, changed, text = (tmp_path / f"{name}.tflite" for name in ("cut", "changed", "text"))
    cut.write_bytes(whole[:-200])
    changed.write_bytes(whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:])
    text.write_text("no model")

    for path in (cut, changed, text):
        with pytest.raises(InputError, match=path.name):
            open_model(path)


def test_a_file_that_is_not_a_model_but_has_our_description_is_refused(tiny_tflite, tmp_path):
    path = tmp_path / "other.tflite"
    write_tflite(path, b"no flatbuffer", json.loads(read_tflite_description(tiny_tflite[1])), [])

    with pytest.raises(InputError, match="cannot be run"):
        open_tflite(path)
