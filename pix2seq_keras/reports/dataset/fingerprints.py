"""What an image looks like from afar: alike images have numbers of which few bits differ."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

_GRID = 8
_SIDE = 16
_BITS = np.left_shift(np.uint64(1), np.arange(_GRID * _GRID, dtype=np.uint64))


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """An image's difference hashes, and the image itself, very small.

    Args:
        rows: 64 bits, of an 8×8 grid: is it brighter than its neighbour to the left?
        columns: 64 bits: than its neighbour above?
        small: uint8 `(16, 16)`, grey. Few hashes are near each other by chance, except where most of an image is one
            colour: this tells.
    """

    rows: int
    columns: int
    small: np.ndarray


def fingerprint(image):
    """Looks at an image from afar: a pure function of its pixels.

    Another size, another compression or other brightness change a few bits; mirroring, turning and cutting off much
    change many.

    Args:
        image: uint8 `(H, W, 3)`.

    Returns:
        A `Fingerprint`.

    Example:
        >>> fingerprint(example["image"]).rows
        9187201401436176383
    """
    grey = Image.fromarray(image).convert("L")
    grey = grey.resize((9 * _SIDE, 9 * _SIDE), Image.Resampling.BOX)  # a multiple of all grids' sides
    grid = lambda width, height: np.asarray(grey.resize((width, height), Image.Resampling.BOX))
    wide, tall = grid(_GRID + 1, _GRID), grid(_GRID, _GRID + 1)  # (8, 9), (9, 8)
    return Fingerprint(_number(wide[:, 1:] > wide[:, :-1]), _number(tall[1:] > tall[:-1]), grid(_SIDE, _SIDE))


def _number(bits):
    return int(_BITS[bits.reshape(-1)].sum(dtype=np.uint64))
