"""Boxes in COCO files have few decimals and are read back bit for bit."""

import numpy as np
import pytest

from pix2seq_keras.data.sources.coco.write import pixel_boxes

SIZES = [(480, 640), (3, 7), (3000, 4001), (1, 1), (101, 9999)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("whole", [True, False])
def test_written_boxes_are_read_back_bit_for_bit(random_boxes, height, width, whole):
    boxes = random_boxes(height, height, width, whole)

    x, y, w, h = pixel_boxes(boxes, height, width).T

    back = np.stack([y / height, x / width, (y + h) / height, (x + w) / width], axis=-1).astype(np.float32)
    np.testing.assert_array_equal(back, boxes)
    if whole:
        assert all(float(value).is_integer() for value in (*x, *y, *w, *h))


def test_written_boxes_have_as_few_decimals_as_possible():
    wanted = np.array([[33.5, 4.25, 24.3, 10.0]])
    x, y, w, h = wanted.T
    boxes = np.stack([y / 40, x / 60, (y + h) / 40, (x + w) / 60], axis=-1).astype(np.float32)

    np.testing.assert_array_equal(pixel_boxes(boxes, 40, 60), wanted)
