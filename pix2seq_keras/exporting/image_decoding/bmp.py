"""Decodes BMP files. TensorFlow's decoder ignores the palette of 8-bit files; it is applied here."""

import tensorflow as tf

from pix2seq_keras.data.images.graph_headers import read_uint, refuse_unless, require_image_size


def decode_bmp(data, head, max_pixels):
    """Decodes an uncompressed BMP of 8, 24 or 32 bits per pixel.

    Args:
        data: string scalar tensor, the file.
        head: int32 tensor (≥ 50,), its first bytes.
        max_pixels: int, larger images are refused.

    Returns:
        uint8 tensor (h, w, 3).
    """
    bits = read_uint(head, 28, 2)
    supported = tf.reduce_any(bits == tf.constant([8, 24, 32])) & tf.equal(read_uint(head, 30), 0)
    checks = [
        refuse_unless(supported, "A BMP must have 8, 24 or 32 bits a pixel and not be compressed."),
        require_image_size(tf.abs(read_uint(head, 22)), read_uint(head, 18), max_pixels),
    ]
    with tf.control_dependencies(checks):
        image = tf.io.decode_bmp(tf.identity(data))  # (h, w, 1, 3 or 4)
    return tf.cond(
        tf.equal(bits, 8),
        lambda: tf.gather(_palette(data, head), tf.cast(image[..., 0], tf.int32)),
        lambda: image[..., :3],
    )


def _palette(data, head):
    """The palette as RGB, uint8 (256, 3). The file stores 4 bytes a colour: blue, green, red and an unused byte."""
    start, declared = 14 + read_uint(head, 14), read_uint(head, 46)
    count = tf.where((declared > 0) & (declared <= 256), declared, 256)
    table = tf.io.decode_raw(
        tf.strings.substr(tf.strings.join([data, tf.constant(bytes(1024))]), start, 4 * count), tf.uint8
    )
    table = tf.reshape(table, [-1, 4])[:, 2::-1]
    return tf.pad(table, [[0, 256 - tf.shape(table)[0]], [0, 0]])
