"""The fixed sine codes, against the formula written out number by number."""

import math

import numpy as np
import pytest

from pix2seq_keras.layers import sine_code_2d


def code(position, count, dim):
    """The code of one position of an axis: sines of even channels, then cosines of odd ones."""
    angle = position / (count - 1) * 6.2831852 if count > 1 else 0.0
    rate = lambda channel: 1 / 10000 ** (2 * (channel // 2) / dim)
    sines = [math.sin(angle * rate(channel)) for channel in range(0, dim, 2)]
    return sines + [math.cos(angle * rate(channel)) for channel in range(1, dim, 2)]


@pytest.mark.parametrize(("height", "width", "dim"), [(2, 3, 8), (5, 4, 16), (12, 12, 64)])
def test_y_fills_the_first_half_and_x_the_second(height, width, dim):
    expected = [code(y, height, dim // 2) + code(x, width, dim // 2) for y in range(height) for x in range(width)]

    result = sine_code_2d(height, width, dim)

    assert result.shape == (height * width, dim) and result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=2e-6)


@pytest.mark.parametrize(("height", "width"), [(1, 5), (5, 1)])
def test_a_grid_of_one_row_or_column_has_the_1d_code_over_all_channels(height, width):
    np.testing.assert_allclose(sine_code_2d(height, width, 6), [code(i, 5, 6) for i in range(5)], atol=2e-6)


def test_a_grid_of_one_cell_has_the_code_of_the_first_position():
    assert sine_code_2d(1, 1, 4).tolist() == [[0, 0, 1, 1]]


def test_all_cells_of_a_grid_have_different_codes():
    result = sine_code_2d(7, 9, 32)

    distances = np.abs(result[:, None] - result[None]).max(-1) + np.eye(63)
    # The scaled positions end at 2π, where the fastest sine is back at 0; the slower ones tell them apart.
    assert distances.min() > 1e-3
