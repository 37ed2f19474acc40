"""Images as the bytes that an exported model decodes to the very pixels `read_image` gives."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.read_image import ImageError, inspect_image, read_image

# What every decoder of images decodes alike; MPO is a JPEG with further ones behind it.
_SENT_AS_THEY_ARE = ("JPEG", "MPO", "PNG")


def image_bytes(image, max_pixels):
    """Turns an image upright and checks it, then encodes it without loss.

    A plain upright JPEG or PNG file is sent as it is, once it was seen to decode; everything else becomes a PNG.

    Args:
        image: path, bytes of a file, or uint8 array, as `read_image` takes.
        max_pixels: int, the most pixels that the model decodes.

    Returns:
        bytes.

    Raises:
        ImageError: if it cannot be read whole, or has more pixels.
    """
    if not hasattr(image, "__array__"):
        info = inspect_image(image, max_pixels=max_pixels)
        if info.plain and info.format in _SENT_AS_THEY_ARE:
            data = bytes(image) if isinstance(image, bytes | bytearray | memoryview) else _file(image)
            if _decodes(data, info.format):
                return data
    pixels = read_image(image, max_pixels=max_pixels)  # (H, W, 3)
    height, width = pixels.shape[:2]
    if height * width > max_pixels:  # an array: the others were looked at before they were decoded
        raise ImageError(
            f"it has {width}×{height} pixels, more than the {max_pixels / 1e6:g} million accepted. Make it smaller."
        )
    # The least compression: networks are faster than zlib's best.
    return tf.io.encode_png(pixels, compression=1).numpy()


def image_name(image, place=None):
    """What messages call an image: its path, or its place among those given and its shape."""
    if isinstance(image, str | os.PathLike):
        return f"The image {os.fspath(image)!r}"
    number = "The image" if place is None else f"Image {place} of those given"
    if isinstance(image, bytes | bytearray | memoryview):
        return f"{number} ({len(image)} bytes)"
    return f"{number} (an array of shape {np.shape(image)})"


def _file(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"The image {os.fspath(path)!r} cannot be opened: {error.strerror or error}.") from error


def _decodes(data, format_):
    """Whether TensorFlow's decoder takes the whole of it; what it refuses, Pillow may still read."""
    try:
        (tf.io.decode_png if format_ == "PNG" else tf.io.decode_jpeg)(data, channels=3)
    except tf.errors.OpError:
        return False
    return True
