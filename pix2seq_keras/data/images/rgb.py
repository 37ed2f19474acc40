"""Conversion of pixels to 8-bit RGB: transparency over white, grey as three channels, 16 bits scaled."""

import numpy as np

from pix2seq_keras.data.images.deep_pixels import scale_to_eight_bits, to_eight_bits
from pix2seq_keras.data.images.image_error import ImageError


def to_rgb(image, name):
    """Converts a loaded Pillow image to RGB.

    Args:
        image: `PIL.Image.Image`, of any mode.
        name: str, its name in error messages.

    Returns:
        uint8 array (H, W, 3).

    Raises:
        ImageError: for 32-bit pixels, for which no value means white.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        grey16 = np.asarray(image).astype(np.int64)
        # Pillow has already stretched what a PPM file declares.
        grey = scale_to_eight_bits(grey16) if image.format == "PPM" else to_eight_bits(grey16, name)
        if image.info.get("transparency") is not None:
            grey[grey16 == image.info["transparency"]] = 255
        return np.repeat(grey[..., None], 3, axis=-1)  # (H, W, 3)
    if image.mode in ("I", "F"):
        raise ImageError(
            f"The image {name} has 32-bit pixels (Pillow mode {image.mode!r}), for which no value means white. "
            "Convert it to 8 or 16 bits."
        )
    if image.has_transparency_data:
        return on_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def on_white(rgba):
    """Places pixels over white: uint8 (H, W, 4) -> uint8 (H, W, 3)."""
    alpha = rgba[..., 3:].astype(np.uint32)  # (H, W, 1)
    # uint32 sums to at most 255 · 255; + 127 rounds to nearest.
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def from_array(array):
    """Converts an array to RGB.

    Args:
        array: uint8 array (H, W), (H, W, 1), (H, W, 3) or, with alpha, (H, W, 4).

    Returns:
        uint8 array (H, W, 3), contiguous.

    Raises:
        ImageError: for another dtype or shape.
    """
    if array.dtype != np.uint8:
        raise ImageError(
            f"An image array must be uint8, 0…255. Received: dtype {array.dtype}, shape {array.shape}. "
            f"{_conversion(array)}"
        )
    channels = {2: 1, 3: array.shape[-1] if array.ndim == 3 else 0}.get(array.ndim, 0)
    if channels not in (1, 3, 4) or not array.size:
        raise ImageError(
            "An image array must have the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
            f"Received: shape {array.shape}."
        )
    if channels == 1:
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=-1)
    elif channels == 4:
        array = on_white(array)
    return np.ascontiguousarray(array)  # (H, W, 3)


def _conversion(array):
    """How an array of another type becomes uint8: a sentence."""
    if array.dtype.kind == "f" and array.size and np.nanmax(array) > 1.25:
        return "Convert floats in [0, 255] with array.round().astype('uint8')."
    return "Convert floats in [0, 1] with (255 * array).round().astype('uint8')."
