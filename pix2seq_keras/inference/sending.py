"""Pictures as the bytes that an exported model decodes to the very pixels `read_picture` gives."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.pictures import PictureError, inspect_picture, read_picture

# What every decoder of pictures decodes alike; MPO is a JPEG with further ones behind it.
_SENT_AS_THEY_ARE = ("JPEG", "MPO", "PNG")


def picture_bytes(picture, max_pixels):
    """Turns a picture upright and checks it, then encodes it without loss.

    A plain upright JPEG or PNG file is sent as it is, once it was seen to decode; everything else becomes a PNG.

    Args:
        picture: path, bytes of a file, or uint8 array, as `read_picture` takes.
        max_pixels: int, the most pixels that the model decodes.

    Returns:
        bytes.

    Raises:
        PictureError: if it cannot be read whole, or has more pixels.
    """
    if not hasattr(picture, "__array__"):
        info = inspect_picture(picture, max_pixels=max_pixels)
        if info.plain and info.format in _SENT_AS_THEY_ARE:
            data = bytes(picture) if isinstance(picture, bytes | bytearray | memoryview) else _file(picture)
            if _decodes(data, info.format):
                return data
    pixels = read_picture(picture, max_pixels=max_pixels)  # (H, W, 3)
    height, width = pixels.shape[:2]
    if height * width > max_pixels:  # an array: the others were looked at before they were decoded
        raise PictureError(
            f"it has {width}×{height} pixels, more than the {max_pixels / 1e6:g} million accepted. Make it smaller."
        )
    # The least compression: networks are faster than zlib's best.
    return tf.io.encode_png(pixels, compression=1).numpy()


def picture_name(picture, place=None):
    """What messages call a picture: its path, or its place among those given and its shape."""
    if isinstance(picture, str | os.PathLike):
        return f"The picture {os.fspath(picture)!r}"
    number = "The picture" if place is None else f"Picture {place} of those given"
    if isinstance(picture, bytes | bytearray | memoryview):
        return f"{number} ({len(picture)} bytes)"
    return f"{number} (an array of shape {np.shape(picture)})"


def _file(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise PictureError(f"The picture {os.fspath(path)!r} cannot be opened: {error.strerror or error}.") from error


def _decodes(data, format_):
    """Whether TensorFlow's decoder takes the whole of it; what it refuses, Pillow may still read."""
    try:
        (tf.io.decode_png if format_ == "PNG" else tf.io.decode_jpeg)(data, channels=3)
    except tf.errors.OpError:
        return False
    return True
