"""Windows bitmaps; TensorFlow's decoder reads 8-bit ones as grey, whatever their palette."""

import tensorflow as tf

from pix2seq_keras.exporting.image_decoding.headers import refuse_unless, require_size, unsigned


def decode_bitmap(data, head, max_pixels):
    """Decodes a BMP of 8, 24 or 32 bits a pixel.

    Args:
        data: string scalar tensor, the file.
        head: int32 tensor (≥ 50,), its first bytes.
        max_pixels: int.

    Returns:
        uint8 tensor (h, w, 3).
    """
    bits = unsigned(head, 28, 2)
    readable = tf.reduce_any(bits == tf.constant([8, 24, 32])) & tf.equal(unsigned(head, 30), 0)
    checks = [
        refuse_unless(readable, "A BMP must have 8, 24 or 32 bits a pixel and not be compressed."),
        require_size(tf.abs(unsigned(head, 22)), unsigned(head, 18), max_pixels),
    ]
    with tf.control_dependencies(checks):
        image = tf.io.decode_bmp(tf.identity(data))  # (h, w, 1, 3 or 4)
    return tf.cond(
        tf.equal(bits, 8),
        lambda: tf.gather(_palette(data, head), tf.cast(image[..., 0], tf.int32)),
        lambda: image[..., :3],
    )


def _palette(data, head):
    """uint8 (256, 3): the colours, stored blue first with a byte of filling."""
    start, said = 14 + unsigned(head, 14), unsigned(head, 46)
    count = tf.where((said > 0) & (said <= 256), said, 256)
    table = tf.io.decode_raw(
        tf.strings.substr(tf.strings.join([data, tf.constant(bytes(1024))]), start, 4 * count), tf.uint8
    )
    table = tf.reshape(table, [-1, 4])[:, 2::-1]
    return tf.pad(table, [[0, 256 - tf.shape(table)[0]], [0, 0]])
