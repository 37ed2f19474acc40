"""Encoded images decoded in the graph, as strictly as a server needs: nothing is decoded before its header is judged.

The pixels are those of `pix2seq_keras.data.read_image`, transparency of PNGs on white included, except that
EXIF is not looked at, the clear parts of a GIF have the colour of their palette, and grey PNGs of 16 bits are cut, not
rounded, to 8.
"""

import tensorflow as tf

from pix2seq_keras.exporting.image_decoding import bitmaps, gifs, jpegs
from pix2seq_keras.exporting.image_decoding.headers import padded_bytes, refuse_unless, require_size, unsigned

DEFAULT_MAX_PIXELS = 40_000_000

_JPEG, _PNG, _GIF, _BMP = range(4)


def decode_image(data, max_pixels=DEFAULT_MAX_PIXELS):
    """Decodes one image.

    Args:
        data: string scalar tensor, a JPEG, PNG, BMP or GIF file, of which the first frame counts.
        max_pixels: int, larger images are refused before they are decoded.

    Returns:
        uint8 tensor (h, w, 3).

    Raises:
        tf.errors.InvalidArgumentError: when the graph runs, if it is no such image, too large, or damaged.
    """
    head = padded_bytes(data, 64)  # (64,)
    starts = [_starts(head, magic) for magic in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")]
    known = refuse_unless(tf.reduce_any(starts), "An image must be a JPEG, PNG, GIF or BMP file and not empty.")
    with tf.control_dependencies([known]):
        data, kind = tf.identity(data), tf.argmax(tf.cast(tf.stack(starts), tf.int32), output_type=tf.int32)
    branches = {
        _JPEG: lambda: jpegs.decode_jpeg(data, max_pixels),
        _PNG: lambda: _decode_png(data, head, max_pixels),
        _GIF: lambda: gifs.decode_first_frame(data, head, max_pixels),
        _BMP: lambda: bitmaps.decode_bitmap(data, head, max_pixels),
    }
    image = tf.switch_case(kind, branches)
    return tf.ensure_shape(image, [None, None, 3])


def _starts(head, magic):
    return tf.reduce_all(head[: len(magic)] == tf.constant(list(magic), tf.int32))


def _decode_png(data, head, max_pixels):
    checks = [
        # The decoder skips chunks it does not know: behind one, the size would be another than is read here.
        refuse_unless(_starts(head[8:], b"\0\0\0\x0dIHDR"), "A PNG must begin with its header, the chunk IHDR."),
        require_size(unsigned(head, 20, big=True), unsigned(head, 16, big=True), max_pixels),
    ]
    with tf.control_dependencies(checks):
        data = tf.identity(data)
    # Grey of less than 8 bits is given an alpha that is not 255 but its own largest number: it is read without.
    few_greys = tf.equal(head[25], 0) & (head[24] < 8)
    return tf.cond(few_greys, lambda: tf.io.decode_png(data, channels=3), lambda: _on_white(data))


def _on_white(data):
    image = tf.io.decode_png(data, channels=4)  # what has no alpha is given 255

    def mixed():
        rgb, alpha = tf.cast(image[..., :3], tf.uint16), tf.cast(image[..., 3:], tf.uint16)
        # Sums of at most 255 · 255, which 16 bits just hold; + 127 rounds to nearest.
        return tf.cast((rgb * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)

    return tf.cond(tf.reduce_any(image[..., 3] < 255), mixed, lambda: image[..., :3])
