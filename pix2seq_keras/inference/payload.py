"""Encodes images for requests to exported models, which decode them to exactly the pixels of `read_image`."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.given_image import given_image, is_one_image, kind_of
from pix2seq_keras.data.images.jpeg_scans import inspect_jpeg
from pix2seq_keras.data.images.read_image import ImageError, inspect_image, read_image

# Formats that all decoders decode to the same pixels. MPO is a JPEG followed by further ones.
_SENT_UNCHANGED = ("JPEG", "MPO", "PNG")


def encode_image(image, max_pixels):
    """Checks an image, applies its EXIF orientation, and encodes it losslessly.

    The bytes of a plain upright JPEG or PNG file are returned unchanged if they decode; all else is encoded as PNG.

    Args:
        image: path, bytes of a file, open file, PIL image or uint8 array (h, w, 3), as `read_image` takes.
        max_pixels: int, the largest number of pixels that the model decodes.

    Returns:
        bytes.

    Raises:
        ImageError: if the image is damaged or has more pixels.

    Example:
        >>> inputs = {"image_bytes": [encode_image("image.jpg", max_pixels=40_000_000)]}
    """
    image = given_image(image)
    if not isinstance(image, np.ndarray):
        info = inspect_image(image, max_pixels=max_pixels)
        if info.plain and info.format in _SENT_UNCHANGED:
            data = image if isinstance(image, bytes) else _read_file(image)
            if _decodes(data, info.format):
                return data
    pixels = read_image(image, max_pixels=max_pixels)  # (H, W, 3)
    height, width = pixels.shape[:2]
    if height * width > max_pixels:  # only an array: files were checked before decoding
        raise ImageError(
            f"it has {width}×{height} pixels; at most {max_pixels / 1e6:g} million are accepted. Make it smaller."
        )
    # The fastest compression: zlib's better ones cost more time than sending the larger file.
    return tf.io.encode_png(pixels, compression=1).numpy()


def image_name(image, index=None):
    """The name of an image in messages: its path, or its index in the list and its shape.

    Args:
        image: as `encode_image` takes it.
        index: int, or `None` for an image that is not part of a list.

    Returns:
        str.
    """
    if isinstance(image, str | os.PathLike):
        return f"The image {os.fspath(image)!r}"
    number = "The image" if index is None else f"Image {index} of the list"
    if isinstance(image, bytes | bytearray | memoryview):
        return f"{number} ({len(image)} bytes)"
    if is_one_image(image):
        return f"{number} ({kind_of(image)})"
    return f"{number} (an array of shape {np.shape(image)})"


def _read_file(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"The image {os.fspath(path)!r} cannot be opened: {error.strerror or error}.") from error


def _decodes(data, format_):
    """Whether TensorFlow decodes it without an error. Pillow also reads files that TensorFlow refuses."""
    if format_ != "PNG" and inspect_jpeg(data)[1] is not None:
        return False
    try:
        (tf.io.decode_png if format_ == "PNG" else tf.io.decode_jpeg)(data, channels=3)
    except tf.errors.OpError:
        return False
    return True
