"""Decodes an encoded image of any supported format in the graph.

The pixels equal those of `pix2seq_keras.data.read_image`, which also draws transparent PNGs on white, with three
exceptions: EXIF orientation is ignored, transparent parts of a GIF have their palette's colour, and grey PNGs of
16 bits are truncated to 8 bits, not rounded.
"""

import tensorflow as tf

from pix2seq_keras.data.images.graph_headers import check_png_header, padded_bytes, refuse_unless, starts_with
from pix2seq_keras.data.images.graph_jpeg import decode_jpeg
from pix2seq_keras.exporting.image_decoding.bmp import decode_bmp
from pix2seq_keras.exporting.image_decoding.gif import decode_first_frame

DEFAULT_MAX_PIXELS = 40_000_000

_JPEG, _PNG, _GIF, _BMP = range(4)


def decode_image(data, max_pixels=DEFAULT_MAX_PIXELS):
    """Decodes one image.

    Args:
        data: string scalar tensor, a JPEG, PNG, BMP or GIF file. Only the first frame of a GIF is decoded.
        max_pixels: int, images with more pixels are refused before they are decoded, default 40 million.

    Returns:
        uint8 tensor (h, w, 3).

    Raises:
        tf.errors.InvalidArgumentError: when the graph runs, if the format is not supported, or the image is too large
            or damaged.

    Example:
        >>> decode_image(tf.io.read_file("image.png")).shape
        TensorShape([480, 640, 3])
    """
    head = padded_bytes(data, 64)  # (64,)
    starts = [starts_with(head, magic) for magic in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")]
    known = refuse_unless(tf.reduce_any(starts), "An image must be a JPEG, PNG, GIF or BMP file and not empty.")
    with tf.control_dependencies([known]):
        data, kind = tf.identity(data), tf.argmax(tf.cast(tf.stack(starts), tf.int32), output_type=tf.int32)
    branches = {
        _JPEG: lambda: decode_jpeg(data, max_pixels),
        _PNG: lambda: _decode_png(data, head, max_pixels),
        _GIF: lambda: decode_first_frame(data, head, max_pixels),
        _BMP: lambda: decode_bmp(data, head, max_pixels),
    }
    image = tf.switch_case(kind, branches)
    return tf.ensure_shape(image, [None, None, 3])


def _decode_png(data, head, max_pixels):
    with tf.control_dependencies(check_png_header(head, max_pixels)):
        data = tf.identity(data)
    # For grey PNGs of less than 8 bits the decoder's alpha is not 255 but the largest grey: decode without alpha.
    few_greys = tf.equal(head[25], 0) & (head[24] < 8)
    return tf.cond(few_greys, lambda: tf.io.decode_png(data, channels=3), lambda: _decode_png_on_white(data))


def _decode_png_on_white(data):
    image = tf.io.decode_png(data, channels=4)  # alpha is 255 where the file has none

    def blend():
        rgb, alpha = tf.cast(image[..., :3], tf.uint16), tf.cast(image[..., 3:], tf.uint16)
        # The sum is at most 255 · 255 + 127, which fits 16 bits; + 127 rounds to the nearest integer.
        return tf.cast((rgb * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)

    return tf.cond(tf.reduce_any(image[..., 3] < 255), blend, lambda: image[..., :3])
