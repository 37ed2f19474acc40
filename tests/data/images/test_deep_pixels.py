"""16 bits become 8; 12 bits in 16 are stretched, and it is said."""

import io
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data.images import deep_pixels
from pix2seq_keras.data.images.read_image import inspect_image, read_image


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(deep_pixels, "_said", set())


def grey(values, format="PNG"):
    stream = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint16)).save(stream, format)
    return stream.getvalue()


def deep(values):
    return tf.io.encode_png(np.asarray(values, np.uint16)).numpy()


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("values", "expected", "bits"),
    [
        ([[0, 2048, 4095]], [[0, 128, 255]], 12),
        ([[0, 1000, 2000]], [[0, 62, 125]], 12),  # 12 bits of which the highest are not used
        ([[0, 128, 255]], [[0, 128, 255]], 8),
    ],
)
def test_fewer_bits_in_sixteen_are_the_full_range(format, values, expected, bits):
    with pytest.warns(UserWarning, match=rf"given as bytes has 16 bits a pixel.*it is read as {bits} bits"):
        pixels = read_image(grey(values, format))

    np.testing.assert_array_equal(pixels[..., 0], expected)


@pytest.mark.parametrize("values", [[[0, 257, 65535]], [[0, 2570, 5140]], [[0, 0, 0]]])
def test_sixteen_bits_and_black_are_not_stretched_and_nothing_is_said(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = read_image(grey(values))

    np.testing.assert_array_equal(pixels[..., 0], np.array(values) // 257)


def test_the_first_of_many_images_is_named():
    with pytest.warns(UserWarning) as said:
        for _ in range(3):
            read_image(grey([[0, 4095]]))

    assert len(said) == 1


def test_colours_of_twelve_bits_are_stretched_with_and_without_alpha(tmp_path):
    colours = np.array([[[0, 4095, 2048], [100, 200, 300]]])
    clear = np.dstack([colours, [[65535, 0]]])
    (tmp_path / "deep.png").write_bytes(deep(colours))

    with pytest.warns(UserWarning, match=r"deep\.png.* 12 bits"):
        pixels = read_image(tmp_path / "deep.png")

    np.testing.assert_array_equal(pixels, [[[0, 255, 128], [6, 12, 19]]])
    np.testing.assert_array_equal(read_image(deep(clear)), [[[0, 255, 128], [255, 255, 255]]])
    # TensorFlow's decoder alone would give other pixels: training reads such files through Python.
    assert not inspect_image(tmp_path / "deep.png").plain


def test_colours_of_sixteen_bits_are_their_upper_eight():
    colours = np.random.default_rng(0).integers(0, 65536, (5, 4, 3))

    np.testing.assert_array_equal(read_image(deep(colours)), colours >> 8)
