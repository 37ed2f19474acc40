"""Pixels of every kind become 8-bit RGB."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data.images.read_image import ImageError, read_image

NOISE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)


def encode(image, format="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF"])
def test_grey_becomes_three_equal_channels(format):
    grey = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))

    pixels = read_image(encode(grey, format))

    assert pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, np.repeat(grey[..., None], 3, -1), atol=3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_not_clipped(format):
    values = np.array([[0, 257, 128 * 257, 254 * 257, 65535, 65535 - 128]], np.uint16)

    pixels = read_image(encode(values, format))

    np.testing.assert_array_equal(pixels[..., 0], [[0, 1, 128, 254, 255, 255]])


def test_transparency_is_placed_over_white():
    red = np.zeros((4, 6, 4), np.uint8)
    red[..., 0] = 200
    red[:, :2, 3], red[:, 2:4, 3], red[:, 4:, 3] = 255, 0, 51  # opaque, clear, a fifth
    expected = np.zeros((4, 6, 3), np.uint8)
    expected[:, :2], expected[:, 2:4], expected[:, 4:] = (200, 0, 0), (255, 255, 255), (244, 204, 204)
    grey_alpha = Image.merge("LA", [Image.new("L", (3, 3), 10), Image.new("L", (3, 3), 0)])
    palette = Image.new("P", (3, 3), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])

    np.testing.assert_array_equal(read_image(encode(red)), expected)
    np.testing.assert_array_equal(read_image(encode(red, "WEBP", lossless=True, exact=True)), expected)
    np.testing.assert_array_equal(read_image(red), expected)
    assert (read_image(encode(grey_alpha)) == 255).all()
    assert (read_image(encode(palette, transparency=1)) == 255).all()
    assert (read_image(encode(palette, "GIF", transparency=1)) == 255).all()
    keyed = np.array([[[1, 2, 3], [9, 9, 9]]], np.uint8)
    assert read_image(encode(keyed, transparency=(1, 2, 3)))[0].tolist() == [[255, 255, 255], [9, 9, 9]]


def test_arrays_must_be_uint8():
    np.testing.assert_array_equal(read_image(NOISE), NOISE)
    np.testing.assert_array_equal(read_image(tf.constant(NOISE)), NOISE)
    assert read_image(NOISE[..., 0]).shape == read_image(NOISE[..., :1]).shape == (32, 48, 3)
    with pytest.raises(ImageError, match="dtype float32"):
        read_image(NOISE.astype(np.float32))
    for shape in [(4,), (4, 4, 2), (1, 4, 4, 3), (0, 4, 3)]:
        with pytest.raises(ImageError, match="shape"):
            read_image(np.zeros(shape, np.uint8))


def test_32_bit_pixels_are_refused():
    with pytest.raises(ImageError, match="32-bit"):
        read_image(encode(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), "TIFF"))
