"""GIF files decoded in the graph: only the first frame, in bounded time."""

import struct
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data import read_image
from pix2seq_keras.exporting.image_decoding.gif import MAX_BLOCKS


@pytest.fixture
def header(encode):
    """The header of a GIF, without blocks."""
    return encode(Image.new("P", (4, 4)), "GIF")[:13]


@pytest.fixture
def gif_with_frames(encode):
    """A function that makes a small GIF file with that many frames of the given size."""

    def make(size, num_frames):
        data = encode(Image.new("P", size), "GIF")
        body = data[13 + 3 * 2 ** ((data[10] & 7) + 1) : -1]
        return data[: len(data) - 1 - len(body)] + body * num_frames + b";"

    return make


def test_the_pixels_equal_those_of_read_image(decode, image, encode):
    image = image.convert("P")
    more_frames = [image.rotate(180).convert("P")] * 3
    animated = encode(image, "GIF", save_all=True, append_images=more_frames, comment=b"x" * 700)
    for data in (encode(image, "GIF"), animated):
        np.testing.assert_array_equal(decode(data).numpy(), read_image(data))


def test_truncated_and_large_files_are_refused(decode, image, large_image, encode):
    for data, message in (
        (encode(image.convert("P"), "GIF")[:900], "truncated"),
        (encode(large_image, "GIF"), "million"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            decode(data)


def test_a_frame_larger_than_its_gif_is_refused(decode, encode):
    data = bytearray(encode(Image.new("P", (20, 20)), "GIF"))
    start = data.index(b"\x2c\0\0\0\0") + 5
    data[start : start + 4] = struct.pack("<HH", 60000, 60000)
    with pytest.raises(tf.errors.InvalidArgumentError, match="million pixels"):
        decode(bytes(data))


def test_only_the_first_of_ten_thousand_frames_is_decoded(decode, gif_with_frames):
    data = gif_with_frames((300, 300), 10_000)
    assert decode(gif_with_frames((300, 300), 1)).shape == (300, 300, 3)  # traced and warm
    start = time.perf_counter()
    assert decode(data).shape == (300, 300, 3)
    # All frames would take 2.7 GB and many seconds; 5 s leave room for a busy machine.
    assert time.perf_counter() - start < 5.0


def test_very_short_blocks_are_refused_quickly(decode, header):
    data = header + b"\x21\xfe" + b"\1a" * (MAX_BLOCKS - 9) + b"\0;"
    start = time.perf_counter()
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncated"):
        decode(data)
    assert time.perf_counter() - start < 3.0  # walking over all blocks would take eight seconds


def test_extensions_without_a_frame_are_refused(decode, header):
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncated"):
        decode(header + b"\x21\xfe\x00" * (MAX_BLOCKS // 20))
