"""The first frame of a GIF, and no other: TensorFlow's decoder unpacks them all, however many a small file holds."""

import tensorflow as tf

from pix2seq_keras.exporting.image_decoding.headers import refuse_unless, require_size, unsigned

# An image of 40 million pixels has some 160,000 of these even where nothing could be compressed.
MAX_BLOCKS = 250_000

_BETWEEN, _IN_EXTENSION, _IN_FRAME, _DONE, _BROKEN = range(5)
_EXTENSION, _FRAME = 0x21, 0x2C


def decode_first_frame(data, head, max_pixels):
    """Decodes the first frame of a GIF.

    Args:
        data: string scalar tensor, the file.
        head: int32 tensor (≥ 13,), its first bytes.
        max_pixels: int.

    Returns:
        uint8 tensor (h, w, 3).
    """
    content = tf.cast(tf.io.decode_raw(tf.strings.join([data, tf.constant(bytes(16))]), tf.uint8), tf.int32)
    start = 13 + _color_table(head[10])
    position, frame, state = _walk(content, start)
    left, top, width, height = (unsigned(content, frame + place, 2) for place in (1, 3, 5, 7))
    checks = [
        refuse_unless(tf.equal(state, _DONE), "The GIF is cut short or damaged: its first frame has no end."),
        require_size(unsigned(head, 8, 2), unsigned(head, 6, 2), max_pixels),
        require_size(top + height, left + width, max_pixels),
    ]
    with tf.control_dependencies(checks):
        first = tf.strings.join([tf.strings.substr(data, 0, position), tf.constant(b";")])
    return tf.io.decode_gif(first)[0]


def _walk(content, start):
    """The end of the first frame, the place of its descriptor, and the state that the walk ended in."""
    last = tf.shape(content)[0] - 1

    def advance(position, frame, state):
        value = content[tf.minimum(position, last)]
        extension, descriptor = tf.equal(value, _EXTENSION), tf.equal(value, _FRAME)
        begin = tf.equal(state, _BETWEEN)
        after_descriptor = position + 11 + _color_table(content[tf.minimum(position + 9, last)])
        between = tf.where(extension, position + 2, after_descriptor)
        now = tf.where(extension, _IN_EXTENSION, tf.where(descriptor, _IN_FRAME, _BROKEN))
        # Inside, blocks follow one another, each behind its length; one of length 0 is the last.
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
        # Encoders fill their blocks with 255 bytes: a small file of many blocks would be nothing but a long walk.
        maximum_iterations=tf.minimum(MAX_BLOCKS, 4096 + last // 64),
    )


def _color_table(flags):
    """The bytes of the colour table that these flags announce."""
    size = 3 * tf.bitwise.left_shift(2, tf.bitwise.bitwise_and(flags, 7))
    return tf.where(flags >= 0x80, size, 0)
