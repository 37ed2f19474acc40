"""Rows in YOLO files have few decimals and are read back bit for bit."""

import numpy as np
import pytest

from pix2seq_keras.data.sources.yolo.write import relative_rows

SIZES = [(480, 640), (3, 7), (3000, 4001), (1, 1), (101, 9999)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_written_rows_are_read_back_bit_for_bit(random_boxes, height, width):
    boxes = random_boxes(width, height, width, whole=False)

    rows = np.array([list(map(float, row.split())) for row in relative_rows(boxes, height, width)]).reshape(-1, 4)

    x, y, w, h = rows.T
    sides = np.array([height, width, height, width])
    edges = np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], axis=-1) * sides
    np.testing.assert_array_equal((np.clip(edges, 0, sides) / sides).astype(np.float32), boxes)


def test_rows_have_six_decimals_where_these_are_enough():
    assert relative_rows(np.float32([[0.25, 0.5, 0.75, 1]]), 40, 60) == ["0.750000 0.500000 0.500000 0.500000"]
