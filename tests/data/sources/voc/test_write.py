import numpy as np
import pytest

from pix2seq_keras.data.sources.voc.write import whole_pixels

SIZES = [(480, 640), (3, 7), (3000, 4001), (1, 1), (101, 9999)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_written_boxes_are_the_nearest_whole_pixels_and_never_empty(random_boxes, height, width):
    boxes = random_boxes(width, height, width, whole=False)

    corners, rounded = whole_pixels(boxes, height, width)

    xmin, ymin, xmax, ymax = corners.T
    assert (xmin >= 1).all() and (ymin >= 1).all() and (xmax <= width).all() and (ymax <= height).all()
    assert (xmax >= xmin).all() and (ymax >= ymin).all()
    exact = boxes.astype(np.float64) * [height, width, height, width]
    off = np.abs(np.stack([ymin - 1, xmin - 1, ymax, xmax], axis=-1) - exact)
    wide = (exact[:, 2:] - exact[:, :2] >= 1).all(-1)
    assert (off[wide] <= 0.5 + 1e-6).all() and (off <= 1).all()
    np.testing.assert_array_equal(rounded, (off > 0.005).any(-1))
