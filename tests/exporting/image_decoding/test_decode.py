"""Formats are recognised by their first bytes; PNG files are drawn on white, as in `read_image`."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data import read_image


def png(header, rows, *chunks):
    """A PNG built chunk by chunk."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_png_pixels_equal_those_of_read_image(decode, image, image_with_alpha, encode):
    files = {
        "plain": encode(image, "PNG"),
        "alpha": encode(image_with_alpha, "PNG"),
        "grey with alpha": encode(image_with_alpha.convert("LA"), "PNG"),
        "palette": encode(image.convert("P"), "PNG"),
        "palette, one colour transparent": encode(image.convert("P"), "PNG", transparency=3),
        "one bit": encode(image.convert("1"), "PNG"),
        "one pixel": encode(image.crop((0, 0, 1, 1)), "PNG"),
    }
    for name, data in files.items():
        pixels = decode(data).numpy()
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, read_image(data), err_msg=name)


def test_grey_pngs_of_two_and_four_bits_use_the_whole_range(decode):
    for bits, packed in ((2, [0b00011011]), (4, [0x01, 0x8F])):
        data = png((4, 1, bits, 0), bytes([0, *packed]))
        np.testing.assert_array_equal(decode(data).numpy(), read_image(data))


@pytest.mark.parametrize(
    "header",
    [(2**16, 2**16, 8, 2), (2**31 + 5, 1, 8, 2), (0, 5, 8, 2)],
    ids=["2³² pixels", "negative width", "no pixels"],
)
def test_pngs_of_impossible_sizes_are_refused(decode, header):
    with pytest.raises(tf.errors.InvalidArgumentError, match="million pixels"):
        decode(png(header, b""))


def test_truncated_and_large_pngs_are_refused(decode, image, large_image, encode):
    large = encode(large_image, "PNG")
    hidden = large[:8] + png_chunk(b"abCd", bytes([0, 0, 0, 8] * 4)) + large[8:]  # claims to be small
    refused = ((encode(image, "PNG")[:700], "PNG"), (large, "million pixels"), (hidden, "begin with its header"))
    for data, message in refused:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            decode(data)


def test_other_formats_are_refused(decode, image, encode):
    for data, message in (
        (b"", "not empty"),
        (b"hello", "JPEG, PNG, GIF or BMP"),
        (encode(image, "WEBP"), "JPEG, PNG, GIF or BMP"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            decode(data)
