"""Numbers in image headers, and the checks of them."""

import pytest
import tensorflow as tf

from pix2seq_keras.data.images.graph_headers import padded_bytes, read_uint, refuse_unless, require_image_size


def test_the_first_bytes_are_zero_padded():
    assert padded_bytes(tf.constant(b"\x01\xff"), 4).numpy().tolist() == [1, 255, 0, 0]
    assert padded_bytes(tf.constant(b"\x01\xff\x03"), 2).numpy().tolist() == [1, 255]


def test_integers_are_little_endian_or_big_endian():
    content = tf.constant([9, 1, 2, 3, 4])
    assert read_uint(content, 1) == 0x04030201
    assert read_uint(content, 1, 2) == 0x0201
    assert read_uint(content, tf.constant(1), big_endian=True) == 0x01020304
    assert read_uint(tf.constant([0, 0, 0, 0x80]), 0) < 0  # 2³¹ overflows


@pytest.mark.parametrize("height, width", [(0, 5), (5, -1), (11, 10), (2**16, 2**16)])
def test_image_sizes_out_of_range_are_refused(height, width):
    require_image_size(tf.constant(10), tf.constant(10), 100)
    with pytest.raises(tf.errors.InvalidArgumentError, match="million pixels; its header says"):
        require_image_size(tf.constant(height), tf.constant(width), 100)


def test_a_false_condition_is_an_error_with_the_message():
    refuse_unless(tf.constant(True), "Never.")
    with pytest.raises(tf.errors.InvalidArgumentError, match="This is wrong"):
        refuse_unless(tf.constant(False), "This is wrong.")
