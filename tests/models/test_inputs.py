"""Images that `generate` and `detect` accept, and the messages about others."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError
from pix2seq_keras.models.inputs import checked_images


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
        (np.zeros((2, 32, 32, 3), "uint8"), "must be floating point.*uint8.*Divide by 255"),
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
