"""Reading numbers off the headers of images, in the graph, and refusing what they tell."""

import tensorflow as tf


def padded_bytes(data, count):
    """The first `count` bytes of a string scalar as int32 (count,), zeros behind its end."""
    data = tf.strings.join([tf.strings.substr(data, 0, count), tf.constant(bytes(count))])
    return tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, count), tf.uint8), tf.int32)


def unsigned(content, position, size=4, big=False):
    """A number of `size` bytes as int32; one of 2³¹ or more comes out negative.

    Args:
        content: int32 tensor (n,) of bytes.
        position: int or int32 scalar.
        size: int ≤ 4.
        big: bool, whether the first byte is the largest.
    """
    order = range(size) if not big else range(size - 1, -1, -1)
    return tf.add_n([content[position + place] * (1 << 8 * power) for power, place in enumerate(order)])


def require_size(height, width, max_pixels):
    """An operation that fails unless an image has pixels, and no more than it may have."""
    pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    return tf.debugging.Assert(
        (height > 0) & (width > 0) & (pixels <= max_pixels),
        [
            f"An image must have between 1 and {max_pixels / 1e6:g} million pixels; its header says (width, height)",
            width,
            height,
        ],
    )


def refuse_unless(condition, sentence):
    """An operation that fails with a sentence unless the condition, a bool scalar, holds."""
    return tf.debugging.Assert(condition, [sentence])
