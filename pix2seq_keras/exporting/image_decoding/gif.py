"""Decodes only the first frame of a GIF.

TensorFlow's decoder unpacks all frames, and a small file can hold thousands of them.
"""

import tensorflow as tf

from pix2seq_keras.data.images.graph_headers import read_uint, refuse_unless, require_image_size

# An incompressible image of 40 million pixels has about 160,000 blocks.
MAX_BLOCKS = 250_000

# States of the parser: what the byte at its position is part of.
_BETWEEN, _IN_EXTENSION, _IN_FRAME, _DONE, _BROKEN = range(5)
_EXTENSION, _FRAME = 0x21, 0x2C  # the bytes that introduce them


def decode_first_frame(data, head, max_pixels):
    """Decodes the first frame of a GIF.

    Args:
        data: string scalar tensor, the file.
        head: int32 tensor (≥ 13,), its first bytes.
        max_pixels: int, larger images are refused.

    Returns:
        uint8 tensor (h, w, 3).
    """
    content = tf.cast(tf.io.decode_raw(tf.strings.join([data, tf.constant(bytes(16))]), tf.uint8), tf.int32)
    start = 13 + _color_table_size(head[10])
    end, frame, state = _find_first_frame(content, start)
    left, top, width, height = (read_uint(content, frame + offset, 2) for offset in (1, 3, 5, 7))
    checks = [
        refuse_unless(tf.equal(state, _DONE), "The GIF is truncated or damaged: its first frame has no end."),
        require_image_size(read_uint(head, 8, 2), read_uint(head, 6, 2), max_pixels),
        require_image_size(top + height, left + width, max_pixels),
    ]
    with tf.control_dependencies(checks):
        first = tf.strings.join([tf.strings.substr(data, 0, end), tf.constant(b";")])
    return tf.io.decode_gif(first)[0]


def _find_first_frame(content, start):
    """Walks from block to block: (end of the first frame, position of its descriptor, the parser's last state)."""
    last = tf.shape(content)[0] - 1

    def advance(position, frame, state):
        value = content[tf.minimum(position, last)]
        extension, descriptor = tf.equal(value, _EXTENSION), tf.equal(value, _FRAME)
        begin = tf.equal(state, _BETWEEN)
        after_descriptor = position + 11 + _color_table_size(content[tf.minimum(position + 9, last)])
        between = tf.where(extension, position + 2, after_descriptor)
        now = tf.where(extension, _IN_EXTENSION, tf.where(descriptor, _IN_FRAME, _BROKEN))
        # Extensions and frames are chains of blocks. Each begins with its length; a block of length 0 ends the chain.
        ended = tf.where(tf.equal(state, _IN_FRAME), _DONE, _BETWEEN)
        return (
            tf.where(begin, between, position + value + 1),
            tf.where(begin & descriptor, position, frame),
            tf.where(begin, now, tf.where(tf.equal(value, 0), ended, state)),
        )

    return tf.while_loop(
        lambda position, frame, state: (state < _DONE) & (position < last - 15),
        advance,
        (start, tf.constant(0), tf.constant(_BETWEEN)),
        parallel_iterations=1,
        # Encoders fill blocks with 255 bytes. More and shorter blocks would only serve to make this loop slow.
        maximum_iterations=tf.minimum(MAX_BLOCKS, 4096 + last // 64),
    )


def _color_table_size(flags):
    """Bytes of the colour table that a descriptor's flags announce: int32 scalar."""
    size = 3 * tf.bitwise.left_shift(2, tf.bitwise.bitwise_and(flags, 7))
    return tf.where(flags >= 0x80, size, 0)
