"""Decodes JPEG files in a graph, after counting their scans as `jpeg_scans` does."""

import tensorflow as tf

from pix2seq_keras.data.images.graph_headers import refuse_unless, require_image_size
from pix2seq_keras.data.images.jpeg_scans import END, MAX_SCANS, MAX_SEGMENTS, SCAN, START


def decode_jpeg(data, max_pixels):
    """Decodes a JPEG.

    Args:
        data: string scalar tensor, the file.
        max_pixels: int, larger images are refused.

    Returns:
        uint8 tensor (h, w, 3).
    """
    scans, ended = _count_scans(data)
    checks = [
        refuse_unless(scans <= MAX_SCANS, f"A JPEG of more than {MAX_SCANS} scans is not decoded."),
        refuse_unless(ended | (scans > MAX_SCANS), f"A JPEG of more than {MAX_SEGMENTS} segments is not decoded."),
    ]
    return _decode(data, max_pixels, checks)


def decode_jpeg_in_pipeline(data, max_pixels):
    """Decodes a JPEG as `decode_jpeg` does, but faster: scans are counted only where there can be too many.

    Args:
        data: string scalar tensor, the file.
        max_pixels: int, larger images are refused.

    Returns:
        uint8 tensor (h, w, 3).
    """
    places = tf.size(tf.strings.split(data[None], bytes([0xFF, SCAN])).flat_values) - 1
    return tf.cond(places > MAX_SCANS, lambda: decode_jpeg(data, max_pixels), lambda: _decode(data, max_pixels, []))


def _decode(data, max_pixels, checks):
    shape = tf.io.extract_jpeg_shape(data)
    with tf.control_dependencies([require_image_size(shape[0], shape[1], max_pixels), *checks]):
        return tf.io.decode_jpeg(tf.identity(data), channels=3)


def _count_scans(data):
    """Counts the scans of the image: (int32 number of scans, bool whether the image's end was found).

    The bytes of a scan marker also occur by chance inside other segments, and behind the image: phones append videos.
    """
    content = tf.io.decode_raw(tf.strings.join([data, tf.constant(bytes(8))]), tf.uint8)
    last = tf.shape(content)[0] - 8
    markers = tf.concat([_find_markers(content), [last]], 0)  # (m + 1,)
    byte = lambda position: tf.cast(content[position], tf.int32)

    def advance(position, scans, _):
        marker = markers[tf.searchsorted(markers, position[None])[0]]
        kind, length = byte(marker + 1), 256 * byte(marker + 2) + byte(marker + 3)
        ended = (marker >= last) | tf.equal(kind, END) | tf.equal(kind, START)
        scans += tf.cast(tf.equal(kind, SCAN), tf.int32)
        return tf.minimum(marker + 2 + tf.maximum(length, 2), last), scans, ended

    _, scans, ended = tf.while_loop(
        lambda position, scans, ended: ~ended & (scans <= MAX_SCANS),
        advance,
        (tf.constant(2), tf.constant(0), tf.constant(False)),
        parallel_iterations=1,
        maximum_iterations=MAX_SEGMENTS,
    )
    return scans, ended


def _find_markers(content):
    """Positions where a segment's marker can begin, int32 (m,): 0xFF, except fill bytes and codes inside of scans."""
    first, second = content[:-1], content[1:]
    inside = tf.equal(second, 0) | tf.equal(second, 1) | ((second >= 0xD0) & (second <= 0xD7))
    return tf.cast(tf.where(tf.equal(first, 0xFF) & ~inside & (second < 0xFF))[:, 0], tf.int32)
