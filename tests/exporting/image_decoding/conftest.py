"""Images to decode, and the decoder in a graph."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.exporting.image_decoding.decode import decode_image

MAX_PIXELS = 100_000


@pytest.fixture(scope="session")
def decode():
    """Decodes bytes in a graph that accepts at most 100,000 pixels."""
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda data: decode_image(data, MAX_PIXELS), input_signature=signature, autograph=False)


@pytest.fixture(scope="session")
def image():
    """Smooth colours, 94×62, which palettes and JPEG represent well."""
    pixels = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((94, 62))


@pytest.fixture(scope="session")
def image_with_alpha(image):
    alpha = np.random.default_rng(1).integers(0, 256, (image.height, image.width), dtype=np.uint8)
    image = image.copy()
    image.putalpha(Image.fromarray(alpha))
    return image


@pytest.fixture(scope="session")
def large_image():
    """An image of more pixels than the decoder accepts."""
    return Image.new("L", (400, 300))


@pytest.fixture(scope="session")
def encode():
    """A function (image, format, **options of Pillow) -> bytes of a file."""

    def encode_file(image, format, **options):
        file = io.BytesIO()
        image.save(file, format, **options)
        return file.getvalue()

    return encode_file
