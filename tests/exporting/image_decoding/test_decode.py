"""Images decoded in the graph equal those of `read_image`; bad ones are refused before their pixels are unpacked."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data import read_image
from pix2seq_keras.exporting.image_decoding import decode_image
from pix2seq_keras.exporting.image_decoding.gif import MAX_BLOCKS
from pix2seq_keras.exporting.image_decoding.jpeg import MAX_SEGMENTS

LIMIT = 100_000


@pytest.fixture(scope="module")
def decode():
    """Decodes bytes in a graph that takes at most 100,000 pixels."""
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda data: decode_image(data, LIMIT), input_signature=signature, autograph=False)


@pytest.fixture(scope="module")
def image():
    """Smooth colours, 94×62, so that palettes and JPEG hold them well."""
    pixels = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((94, 62))


def with_alpha(image):
    alpha = np.random.default_rng(1).integers(0, 256, (image.height, image.width), dtype=np.uint8)
    image = image.copy()
    image.putalpha(Image.fromarray(alpha))
    return image


def encode(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(header, rows, *chunks):
    """A PNG built chunk by chunk."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


KINDS = {
    "jpeg": lambda image: encode(image, "JPEG"),
    "progressive": lambda image: encode(image, "JPEG", progressive=True),
    "jpeg with a video appended": lambda image: encode(image, "JPEG") + b"video\xff\xda" * 100,
    "jpeg with scan markers in its profile": lambda image: encode(
        image, "JPEG", icc_profile=b"\xff\xda\xff\xd9" * 30000
    ),
    "jpeg with restart markers": lambda image: encode(image, "JPEG", restart_marker_blocks=1),
    "grey jpeg": lambda image: encode(image.convert("L"), "JPEG"),
    "cmyk jpeg": lambda image: encode(image.convert("CMYK"), "JPEG"),
    "png": lambda image: encode(image, "PNG"),
    "png with alpha": lambda image: encode(with_alpha(image), "PNG"),
    "grey png with alpha": lambda image: encode(with_alpha(image).convert("LA"), "PNG"),
    "palette png": lambda image: encode(image.convert("P"), "PNG"),
    "palette png, one colour transparent": lambda image: encode(image.convert("P"), "PNG", transparency=3),
    "png of one bit": lambda image: encode(image.convert("1"), "PNG"),
    "bmp": lambda image: encode(image, "BMP"),
    "palette bmp": lambda image: encode(image.convert("P"), "BMP"),
    "bmp of 32 bits": lambda image: encode(with_alpha(image), "BMP"),
    "gif": lambda image: encode(image.convert("P"), "GIF"),
    "animated gif": lambda image: encode(
        image.convert("P"), "GIF", save_all=True, append_images=[image.rotate(180).convert("P")] * 3, comment=b"x" * 700
    ),
    "panorama": lambda image: encode(image.resize((300, 100)), "JPEG"),
    "one pixel": lambda image: encode(image.crop((0, 0, 1, 1)), "PNG"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_equal_those_of_read_image(decode, image, kind):
    data = KINDS[kind](image)

    pixels = decode(data).numpy()

    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, read_image(data))


def test_grey_pngs_of_two_and_four_bits_use_the_whole_range(decode):
    for bits, packed in ((2, [0b00011011]), (4, [0x01, 0x8F])):
        data = png((4, 1, bits, 0), bytes([0, *packed]))
        np.testing.assert_array_equal(decode(data).numpy(), read_image(data))


def test_exif_orientation_is_ignored(decode, image):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encode(image, "JPEG", exif=exif)).shape == (62, 94, 3)


def gif_of_frames(size, frames):
    """A small GIF file with that many frames of the given size."""
    frame = encode(Image.new("P", size), "GIF")
    body = frame[13 + 3 * 2 ** ((frame[10] & 7) + 1) : -1]
    return frame[: len(frame) - 1 - len(body)] + body * frames + b";"


def with_first_chunk(data, kind, content):
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return data[:8] + chunk + data[8:]


REFUSED = {
    "nothing": (lambda image: b"", "not empty"),
    "text": (lambda image: b"hello", "JPEG, PNG, GIF or BMP"),
    "webp": (lambda image: encode(image, "WEBP"), "JPEG, PNG, GIF or BMP"),
    "half a jpeg": (lambda image: encode(image, "JPEG")[:700], "JPEG"),
    "the start of a jpeg": (lambda image: b"\xff\xd8\xff", "JPEG"),
    "half a png": (lambda image: encode(image, "PNG")[:700], "PNG"),
    "half a gif": (lambda image: encode(image.convert("P"), "GIF")[:900], "truncated"),
    "half a bmp": (lambda image: encode(image, "BMP")[:700], "size"),
    "bmp of one bit": (lambda image: encode(image.convert("1"), "BMP"), "8, 24 or 32 bits"),
    "bmp, compressed": (
        lambda image: encode(image, "BMP")[:30] + b"\x01" + encode(image, "BMP")[31:],
        "not be compressed",
    ),
    "large jpeg": (lambda image: encode(Image.new("L", (400, 300)), "JPEG"), "million pixels"),
    "large png": (lambda image: encode(Image.new("L", (400, 300)), "PNG"), "million pixels"),
    "large bmp": (lambda image: encode(Image.new("L", (400, 300)), "BMP"), "million pixels"),
    "large gif": (lambda image: encode(Image.new("L", (400, 300)), "GIF"), "million pixels"),
    "png that claims 2³² pixels": (lambda image: png((2**16, 2**16, 8, 2), b""), "million pixels"),
    "png of negative width": (lambda image: png((2**31 + 5, 1, 8, 2), b""), "million pixels"),
    "png without pixels": (lambda image: png((0, 5, 8, 2), b""), "million pixels"),
    "large png behind a chunk that claims to be small": (
        lambda image: with_first_chunk(encode(Image.new("L", (400, 300)), "PNG"), b"abCd", bytes([0, 0, 0, 8] * 4)),
        "begin with its header",
    ),
    "jpeg of many segments": (
        lambda image: b"\xff\xd8" + b"\xff\xfe\0\2" * (MAX_SEGMENTS + 9) + encode(image, "JPEG")[2:],
        "segments",
    ),
    "jpeg whose scans follow a false end marker": (
        lambda image: encode(image, "JPEG")[:-2] + b"\xff\xfe\0\4\xff\xd9" + b"\xff\xda\0\2" * 100,
        "scans",
    ),
    "jpeg of many scans": (lambda image: encode(image, "JPEG")[:-2] + b"\xff\xda\x00\x00" * 100, "scans"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_no_image_damaged_or_too_large_are_refused(decode, image, name):
    make, message = REFUSED[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(make(image))


def test_a_frame_larger_than_its_gif_is_refused(decode):
    data = bytearray(encode(Image.new("P", (20, 20)), "GIF"))
    place = data.index(b"\x2c\0\0\0\0") + 5
    data[place : place + 4] = struct.pack("<HH", 60000, 60000)
    with pytest.raises(tf.errors.InvalidArgumentError, match="million pixels"):
        decode(bytes(data))


def test_only_the_first_of_ten_thousand_gif_frames_is_decoded(decode):
    data = gif_of_frames((300, 300), 10_000)
    assert decode(gif_of_frames((300, 300), 1)).shape == (300, 300, 3)  # traced and warm
    start = time.perf_counter()
    assert decode(data).shape == (300, 300, 3)
    # All frames would take 2.7 GB and many seconds; 5 s leave room for a busy machine.
    assert time.perf_counter() - start < 5.0


def test_a_gif_with_very_short_blocks_is_refused_quickly(decode):
    data = encode(Image.new("P", (4, 4)), "GIF")[:13] + b"\x21\xfe" + b"\1a" * (MAX_BLOCKS - 9) + b"\0;"
    start = time.perf_counter()
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncated"):
        decode(data)
    assert time.perf_counter() - start < 3.0  # walking over all blocks would take eight seconds


def test_a_gif_with_extensions_only_is_refused(decode):
    endless = encode(Image.new("P", (4, 4)), "GIF")[:13] + b"\x21\xfe\x00" * (MAX_BLOCKS // 20)
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncated"):
        decode(endless)
