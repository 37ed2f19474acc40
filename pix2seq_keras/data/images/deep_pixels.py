"""Pixels of 16 bits as 8 bits. Cameras and scanners often store 12 bits in 16: unstretched, they are nearly black."""

import warnings

import numpy as np
import tensorflow as tf

_DEPTHS = (8, 12)  # bits that are stretched, if no number needs more
_said = set()


def to_eight_bits(values, name):
    """Scales 16 bits to 8; if 12 or 8 bits hold all numbers, these are the full range, and a warning says so.

    Args:
        values: integer array of any shape, 0…65535.
        name: str, the image's name in the warning.

    Returns:
        uint8 array of that shape.
    """
    highest = int(values.max())
    bits = next((bits for bits in _DEPTHS if highest < 1 << bits), 16)
    if bits < 16 and highest > 0:
        _say(name, highest, bits)
    return scale_to_eight_bits(values, bits)


def scale_to_eight_bits(values, bits=16):
    """Scales numbers of so many bits to 8: integer array -> uint8 array, rounded to nearest."""
    white = (1 << bits) - 1
    return ((values.astype(np.int64) * 255 + white // 2) // white).astype(np.uint8)


def has_deep_colours(image):
    """Whether a Pillow image, whose pixels are not loaded, is a PNG with colours or alpha of 16 bits: bool.

    Pillow and TensorFlow both give the upper 8 bits of such a file.
    """
    return (
        image.format == "PNG" and bool(image.tile) and str(image.tile[0].args).endswith("16B") and image.mode != "I;16"
    )


def stretch_png(data, name):
    """The pixels of a PNG with colours of 16 bits, if they are to be stretched.

    Args:
        data: bytes of the file.
        name: str, the image's name in the warning.

    Returns:
        uint8 array (H, W, 4), the last channel alpha; or None where the upper 8 bits are right, or the file is damaged.
    """
    try:
        deep = tf.io.decode_png(data, channels=4, dtype=tf.uint16).numpy()  # (H, W, 4)
    except tf.errors.OpError:
        return None
    if deep[..., :3].max() >= 1 << _DEPTHS[-1]:
        return None
    alpha = (deep[..., 3:] >> 8).astype(np.uint8)
    return np.concatenate([to_eight_bits(deep[..., :3], name), alpha], axis=-1)


def _say(name, highest, bits):
    """Warns of the first image of a depth only: data sets have thousands."""
    if bits in _said:
        return
    _said.add(bits)
    warnings.warn(
        f"The image {name} has 16 bits a pixel, but no number above {highest}: it is read as {bits} bits, 0…"
        f"{(1 << bits) - 1}, from black to white. So are others like it.",
        stacklevel=2,
    )
