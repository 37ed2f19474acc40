"""Fingerprints of images: the fingerprints of similar images differ in few bits."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

_GRID = 8
_GREY_SIDE = 16
_BITS = np.left_shift(np.uint64(1), np.arange(_GRID * _GRID, dtype=np.uint64))


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Two difference hashes of an image, and a very small copy of it.

    Args:
        row_hash: int of 64 bits, one for each cell of an 8×8 grid: whether it is brighter than the cell to its left.
        column_hash: int of 64 bits: whether the cell is brighter than the cell above it.
        grey: uint8 `(16, 16)`, the image in grey. Images that are mostly one colour can have similar hashes by chance;
            the correlation of these copies shows whether they are similar.
    """

    row_hash: int
    column_hash: int
    grey: np.ndarray


def compute_fingerprint(image):
    """Computes the fingerprint of an image from its pixels.

    Another size, compression or brightness changes a few bits. A flip, a rotation or a large crop changes many.

    Args:
        image: uint8 array `(H, W, 3)`.

    Returns:
        `Fingerprint`.

    Example:
        >>> compute_fingerprint(example["image"]).row_hash
        9187201401436176383
    """
    grey = Image.fromarray(image).convert("L")
    grey = grey.resize((9 * _GREY_SIDE, 9 * _GREY_SIDE), Image.Resampling.BOX)  # a multiple of the sides of all grids
    grid = lambda width, height: np.asarray(grey.resize((width, height), Image.Resampling.BOX))
    wide, tall = grid(_GRID + 1, _GRID), grid(_GRID, _GRID + 1)  # (8, 9), (9, 8)
    small = grid(_GREY_SIDE, _GREY_SIDE)
    return Fingerprint(_to_int(wide[:, 1:] > wide[:, :-1]), _to_int(tall[1:] > tall[:-1]), small)


def _to_int(bits):
    return int(_BITS[bits.reshape(-1)].sum(dtype=np.uint64))
