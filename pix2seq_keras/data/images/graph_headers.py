"""Reads numbers from image headers in the graph, and asserts that they are acceptable."""

import tensorflow as tf


def padded_bytes(data, count):
    """Reads the first bytes of a file, zero-padded at the end.

    Args:
        data: string scalar tensor, the file.
        count: int, number of bytes.

    Returns:
        int32 tensor (count,), values 0…255.
    """
    data = tf.strings.join([tf.strings.substr(data, 0, count), tf.constant(bytes(count))])
    return tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, count), tf.uint8), tf.int32)


def read_uint(content, position, size=4, big_endian=False):
    """Reads an unsigned integer.

    Args:
        content: int32 tensor (n,), bytes.
        position: int or int32 scalar tensor, index of its first byte.
        size: int, number of bytes, at most 4.
        big_endian: bool, whether the first byte is the most significant, default `False`.

    Returns:
        int32 scalar tensor. A number of 2³¹ or more overflows to a negative one, which `require_image_size` refuses.
    """
    order = range(size) if not big_endian else range(size - 1, -1, -1)
    return tf.add_n([content[position + offset] * (1 << 8 * power) for offset, power in enumerate(order)])


def require_image_size(height, width, max_pixels):
    """Asserts that an image has at least one pixel and at most `max_pixels`.

    Args:
        height: int32 scalar tensor, pixels.
        width: int32 scalar tensor, pixels.
        max_pixels: int.

    Returns:
        `tf.Operation`, to be used as a control dependency.
    """
    pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    return tf.debugging.Assert(
        (height > 0) & (width > 0) & (pixels <= max_pixels),
        [
            f"An image must have between 1 and {max_pixels / 1e6:g} million pixels; its header says (width, height)",
            width,
            height,
        ],
    )


def refuse_unless(condition, message):
    """Asserts a condition.

    Args:
        condition: bool scalar tensor.
        message: str, the error's message where the condition is false.

    Returns:
        `tf.Operation`, to be used as a control dependency.
    """
    return tf.debugging.Assert(condition, [message])


def starts_with(content, beginning):
    """Compares the first bytes.

    Args:
        content: int32 tensor (n,), bytes.
        beginning: bytes, at most n.

    Returns:
        bool scalar tensor.
    """
    return tf.reduce_all(content[: len(beginning)] == tf.constant(list(beginning), tf.int32))


def check_png_header(head, max_pixels):
    """Asserts that a PNG has an acceptable size.

    Args:
        head: int32 tensor (≥ 24,), its first bytes.
        max_pixels: int.

    Returns:
        List of `tf.Operation`, to be used as control dependencies.
    """
    return [
        # The decoder skips unknown chunks. If one came first, the size read here would not be the decoder's.
        refuse_unless(starts_with(head[8:], b"\0\0\0\x0dIHDR"), "A PNG must begin with its header, the chunk IHDR."),
        require_image_size(read_uint(head, 20, big_endian=True), read_uint(head, 16, big_endian=True), max_pixels),
    ]
