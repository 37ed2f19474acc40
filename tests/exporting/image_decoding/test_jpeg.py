"""JPEG files decoded in the graph: the pixels of `read_image`, and limits of scans and segments."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data import read_image
from pix2seq_keras.data.images.jpeg_scans import MAX_SEGMENTS

FILES = {
    "baseline": lambda image, encode: encode(image, "JPEG"),
    "progressive": lambda image, encode: encode(image, "JPEG", progressive=True),
    "with a video appended": lambda image, encode: encode(image, "JPEG") + b"video\xff\xda" * 100,
    "with scan markers in its profile": lambda image, encode: encode(
        image, "JPEG", icc_profile=b"\xff\xda\xff\xd9" * 30000
    ),
    "with restart markers": lambda image, encode: encode(image, "JPEG", restart_marker_blocks=1),
    "grey": lambda image, encode: encode(image.convert("L"), "JPEG"),
    "cmyk": lambda image, encode: encode(image.convert("CMYK"), "JPEG"),
    "panorama": lambda image, encode: encode(image.resize((300, 100)), "JPEG"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_pixels_equal_those_of_read_image(decode, image, encode, name):
    data = FILES[name](image, encode)

    pixels = decode(data).numpy()

    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, read_image(data))


def test_exif_orientation_is_ignored(decode, image, encode):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encode(image, "JPEG", exif=exif)).shape == (62, 94, 3)


REFUSED = {
    "the first half": (lambda data: data[:700], "JPEG"),
    "the first bytes": (lambda data: b"\xff\xd8\xff", "JPEG"),
    "many segments": (lambda data: b"\xff\xd8" + b"\xff\xfe\0\2" * (MAX_SEGMENTS + 9) + data[2:], "segments"),
    "scans after a false end marker": (
        lambda data: data[:-2] + b"\xff\xfe\0\4\xff\xd9" + b"\xff\xda\0\2" * 100,
        "scans",
    ),
    "many scans": (lambda data: data[:-2] + b"\xff\xda\x00\x00" * 100, "scans"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_damaged_and_malicious_files_are_refused(decode, image, encode, name):
    change, message = REFUSED[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(change(encode(image, "JPEG")))


def test_a_file_with_too_many_pixels_is_refused(decode, large_image, encode):
    with pytest.raises(tf.errors.InvalidArgumentError, match="million pixels"):
        decode(encode(large_image, "JPEG"))
