"""Images that `generate` and `detect` accept, and the messages about others."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras import InputError
from pix2seq_keras.models.inputs import checked_images, each_image, image_list


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_point_images_become_float32(tiny_model, tiny_images, dtype):
    images = checked_images(tiny_model, tiny_images.astype(dtype))

    assert images.dtype == tf.float32
    np.testing.assert_allclose(images, tiny_images, atol=1e-3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 32, 48, 3), "float32"), r"shape \(B, 32, 32, 3\). Received: shape \(2, 32, 48, 3\)"),
        (np.zeros((32, 32, 3), "float32"), r"Received: shape \(32, 32, 3\).*`detect`"),
        (np.zeros((2, 32, 32, 1), "float32"), r"Received: shape \(2, 32, 32, 1\)"),
        (np.zeros((2, 32, 32, 3), "int32"), "must be floating point.*uint8.*int32.*Divide by 255"),
        ("a.jpg", "Received: shape.*`detect`"),
        ({"images": [1.0]}, "must be an array.*Received: a dict.*`detect`"),
        (np.zeros((0, 32, 32, 3), "float32"), "at least one image"),
    ],
)
def test_images_of_another_shape_or_type_are_refused(tiny_model, images, message):
    with pytest.raises(InputError, match=message):
        checked_images(tiny_model, images)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_rows_with_numbers_that_are_not_finite_are_named(tiny_model, tiny_images, number):
    images = tiny_images[:3].copy()
    images[1, 5, 5, 0] = number

    with pytest.raises(InputError, match=r"NaN or infinity in rows \[1\]"):
        checked_images(tiny_model, images)


def test_a_uint8_batch_is_divided_by_255(tiny_model, tiny_images):
    pixels = (tiny_images * 255).round().astype("uint8")

    np.testing.assert_allclose(checked_images(tiny_model, pixels), pixels / 255, atol=1e-7)


@pytest.mark.parametrize(
    ("scale", "offset", "message"),
    [
        (255, 0, "numbers from .* to 205.*Divide them by 255"),
        (2, 0, "Divide them by 255"),
        (2, -1, "numbers from -.*Undo the normalisation"),
    ],
)
@pytest.mark.parametrize("method", ["detect", "generate", "stream", "cross_attention"])
def test_images_that_are_not_between_0_and_1_are_refused(tiny_model, tiny_images, method, scale, offset, message):
    images = tiny_images[:1] * scale + offset
    arguments = [np.array([[1, 8]])] if method == "cross_attention" else []

    with pytest.raises(InputError, match=rf"must be in \[0, 1\]. Received: .*{message}"):
        getattr(tiny_model, method)(images, *arguments)


def test_what_resampling_overshoots_is_accepted_and_graphs_do_not_check(tiny_model, tiny_images):
    overshoot = np.clip(tiny_images * 1.3 - 0.1, -0.1, 1.1)
    np.testing.assert_array_equal(checked_images(tiny_model, overshoot), overshoot)

    in_graph = tf.function(lambda images: checked_images(tiny_model, images))
    np.testing.assert_allclose(in_graph(tiny_images * 255), tiny_images * 255, rtol=1e-6)


PIXELS = np.zeros((4, 5, 3), np.uint8)


@pytest.mark.parametrize(
    "image", ["a.jpg", np.str_("a.jpg"), Path("a.jpg"), b"bytes", io.BytesIO(b"bytes"), Image.fromarray(PIXELS), PIXELS]
)
def test_one_image_is_a_list_of_one(image):
    (found,) = image_list(image)

    assert found is image


@pytest.mark.parametrize(
    "images",
    [
        ["a.jpg", "b.jpg"],
        ("a.jpg", "b.jpg"),
        np.array(["a.jpg", "b.jpg"]),
        {"a.jpg": 1, "b.jpg": 2}.keys(),
        (name for name in ("a.jpg", "b.jpg")),
    ],
)
def test_iterables_are_lists_of_images(images):
    assert [str(image) for image in image_list(images)] == ["a.jpg", "b.jpg"]


def test_a_uint8_batch_is_a_list_of_its_images():
    assert [image.shape for image in image_list(np.zeros((2, 4, 5, 3), np.uint8))] == [(4, 5, 3)] * 2


def test_nothing_of_a_generator_is_read_before_it_is_needed():
    def read():
        raise AssertionError("read")
        yield

    each_image(read())


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({"image": PIXELS}, "Received: a dict"),
        ({"a.jpg"}, "Received: a set"),
        (None, "Received: None"),
        (5, "Received: an int"),
        ([], "at least one image. Received: a list"),
        (iter(()), "at least one image. Received: a tuple_iterator"),
    ],
)
def test_what_holds_no_images_is_refused_by_name(images, message):
    with pytest.raises(InputError, match=message):
        image_list(images)
