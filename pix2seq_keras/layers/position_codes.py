"""Fixed sine codes of the positions in a feature grid. They are computed, not weights, so any image size works."""

import numpy as np

from pix2seq_keras.errors import InputError

_MAX_NUMBERS = 2**26  # 256 MB; a canvas of 4096×4096 with 768 channels for each 16×16 has 50 million


def sine_code_1d(length, dim):
    """The 1-D code: positions 0 … length − 1 scaled to [0, 2π].

    Args:
        length: int, number of positions.
        dim: int, number of channels.

    Returns:
        float32 array (length, dim): sines of the even channels, then cosines of the odd ones.
    """
    _require_size(length, dim)
    positions = np.arange(length, dtype=np.float32)
    if length > 1:
        positions = positions * np.float32(6.2831852) / np.float32(length - 1)
    channels = np.arange(dim)
    rates = 1.0 / np.power(10000.0, 2 * (channels // 2) / dim)
    angles = positions[:, None] * rates[None, :].astype(np.float32)  # (length, dim)
    return np.concatenate([np.sin(angles[:, 0::2]), np.cos(angles[:, 1::2])], -1).astype(np.float32)


def sine_code_2d(height, width, dim):
    """The 2-D code of a grid: y in the first half of the channels, x in the second.

    Args:
        height: int, rows of the grid. If it is 1, the 1-D code of the columns fills all channels.
        width: int, columns of the grid. If it is 1, the 1-D code of the rows fills all channels.
        dim: int, number of channels, a multiple of 4 (of 2 for a grid with a side of 1).

    Returns:
        float32 array (height·width, dim), row by row.
    """
    _require_size(height * width, dim)
    if height == 1 or width == 1:
        return sine_code_1d(height * width, dim)
    y = np.repeat(sine_code_1d(height, dim // 2), width, axis=0)  # (height·width, dim / 2)
    x = np.tile(sine_code_1d(width, dim // 2), (height, 1))
    return np.concatenate([y, x], axis=-1)


def _require_size(length, dim):
    """The code is made at once, and not when the weights are: a wrong number in a file could fill the memory."""
    if length * dim > _MAX_NUMBERS:
        raise InputError(
            f"A position code must have at most {_MAX_NUMBERS} numbers. Received: {length} positions of {dim} "
            "channels. Use a smaller canvas, or fewer channels."
        )
