"""BMP files decoded in the graph: the pixels of `read_image`, palettes included."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data import read_image


def test_the_pixels_equal_those_of_read_image(decode, image, image_with_alpha, encode):
    files = {
        "24 bits": encode(image, "BMP"),
        "palette": encode(image.convert("P"), "BMP"),
        "32 bits": encode(image_with_alpha, "BMP"),
    }
    for name, data in files.items():
        np.testing.assert_array_equal(decode(data).numpy(), read_image(data), err_msg=name)


def test_unsupported_damaged_and_large_files_are_refused(decode, image, large_image, encode):
    data = encode(image, "BMP")
    refused = (
        (data[:700], "size"),
        (encode(image.convert("1"), "BMP"), "8, 24 or 32 bits"),
        (data[:30] + b"\x01" + data[31:], "not be compressed"),
        (encode(large_image, "BMP"), "million pixels"),
    )
    for content, message in refused:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            decode(content)
