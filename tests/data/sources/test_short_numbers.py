"""Numbers in text are short, and read back to the same float32 boxes."""

import numpy as np
import pytest

from pix2seq_keras.data.sources.short_numbers import pixel_boxes, relative_rows, whole_pixels


def random_boxes(rng, count, height, width, whole):
    edges = rng.uniform(0, 1, (count, 2, 2)) * [height, width]
    edges = np.sort(np.round(edges) if whole else edges, axis=1)  # (n, 2, 2): near and far, y and x
    edges = edges[(edges[:, 1] - edges[:, 0]).min(-1) > 0.01]
    return (edges / [height, width]).reshape(-1, 4).astype(np.float32)


SIZES = [(480, 640), (3, 7), (3000, 4001), (1, 1), (101, 9999)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("whole", [True, False])
def test_cocos_boxes_read_back_bit_for_bit(height, width, whole):
    boxes = random_boxes(np.random.default_rng(height), 300, height, width, whole)

    x, y, w, h = pixel_boxes(boxes, height, width).T

    back = np.stack([y / height, x / width, (y + h) / height, (x + w) / width], axis=-1).astype(np.float32)
    np.testing.assert_array_equal(back, boxes)
    if whole:
        assert all(float(value).is_integer() for value in (*x, *y, *w, *h))


def test_cocos_boxes_have_the_decimals_they_came_with():
    wanted = np.array([[33.5, 4.25, 24.3, 10.0]])
    x, y, w, h = wanted.T
    boxes = np.stack([y / 40, x / 60, (y + h) / 40, (x + w) / 60], axis=-1).astype(np.float32)

    np.testing.assert_array_equal(pixel_boxes(boxes, 40, 60), wanted)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_yolos_rows_read_back_bit_for_bit(height, width):
    boxes = random_boxes(np.random.default_rng(width), 300, height, width, whole=False)

    rows = np.array([list(map(float, row.split())) for row in relative_rows(boxes, height, width)]).reshape(-1, 4)

    x, y, w, h = rows.T
    sides = np.array([height, width, height, width])
    edges = np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], axis=-1) * sides
    np.testing.assert_array_equal((np.clip(edges, 0, sides) / sides).astype(np.float32), boxes)


def test_yolos_rows_have_six_decimals_where_these_are_enough():
    assert relative_rows(np.float32([[0.25, 0.5, 0.75, 1]]), 40, 60) == ["0.750000 0.500000 0.500000 0.500000"]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_vocs_boxes_are_the_nearest_whole_pixels_and_never_empty(height, width):
    boxes = random_boxes(np.random.default_rng(width), 300, height, width, whole=False)

    corners, rounded = whole_pixels(boxes, height, width)

    xmin, ymin, xmax, ymax = corners.T
    assert (xmin >= 1).all() and (ymin >= 1).all() and (xmax <= width).all() and (ymax <= height).all()
    assert (xmax >= xmin).all() and (ymax >= ymin).all()
    exact = boxes.astype(np.float64) * [height, width, height, width]
    off = np.abs(np.stack([ymin - 1, xmin - 1, ymax, xmax], axis=-1) - exact)
    wide = (exact[:, 2:] - exact[:, :2] >= 1).all(-1)
    assert (off[wide] <= 0.5 + 1e-6).all() and (off <= 1).all()
    np.testing.assert_array_equal(rounded, (off > 0.005).any(-1))
