"""Boxes as numbers in text: as short as they can be while reading them gives the same float32 boxes again."""

import numpy as np

_PIXEL_DIGITS = range(0, 12)
_RELATIVE_DIGITS = range(6, 18)


def pixel_boxes(boxes, height, width):
    """COCO's boxes.

    Args:
        boxes: float32 `(n, 4)` rel_yxyx.
        height: int, of the image, in pixels.
        width: likewise.

    Returns:
        float64 `(n, 4)`: x, y, width, height in pixels.

    Example:
        >>> pixel_boxes(np.float32([[0.1, 0.55, 0.35, 0.95]]), 40, 60)
        array([[33.,  4., 24., 10.]])
    """
    sides = np.array([height, width], np.float64)
    near = _shortest(boxes[:, :2] * sides, lambda edges: edges / sides, boxes[:, :2])  # (n, 2)
    far = _shortest(boxes[:, 2:] * sides - near, lambda lengths: (near + lengths) / sides, boxes[:, 2:])
    return np.stack([near[:, 1], near[:, 0], far[:, 1], far[:, 0]], axis=-1)


def relative_rows(boxes, height, width):
    """YOLO's boxes.

    Args:
        boxes: float32 `(n, 4)` rel_yxyx.
        height: int, of the image, in pixels.
        width: likewise.

    Returns:
        n strings "x-centre y-centre width height", with six decimals, as is usual, where these are enough.
    """
    sides = np.array([height, width, height, width], np.float64)
    wide = boxes.astype(np.float64)
    centres, lengths = (wide[:, :2] + wide[:, 2:]) / 2, wide[:, 2:] - wide[:, :2]  # (n, 2)
    texts: list[str | None] = [None] * len(boxes)
    for digits in _RELATIVE_DIGITS:
        centre, length = np.round(centres, digits), np.round(lengths, digits)
        edges = np.concatenate([centre - length / 2, centre + length / 2], axis=-1)  # (n, 4)
        # As the reader does it, by way of pixels.
        same = (np.clip(edges * sides, 0, sides) / sides).astype(np.float32) == boxes
        for row in np.flatnonzero(same.all(axis=-1) | (digits == _RELATIVE_DIGITS[-1])):
            if texts[row] is None:
                values = (centre[row, 1], centre[row, 0], length[row, 1], length[row, 0])
                texts[row] = " ".join(f"{value:.{digits}f}" for value in values)
        if None not in texts:
            break
    return texts


def whole_pixels(boxes, height, width):
    """VOC's boxes: whole pixels, counted from 1, both corners belonging to the box; each at least one pixel.

    Args:
        boxes: float32 `(n, 4)` rel_yxyx.
        height: int, of the image, in pixels.
        width: likewise.

    Returns:
        int64 `(n, 4)`: xmin, ymin, xmax, ymax; and bool `(n,)`: which of them lay between pixels and were rounded.
    """
    sides = np.array([height, width], np.float64)
    exact = boxes.astype(np.float64) * np.concatenate([sides, sides])  # (n, 4)
    near, far = np.round(exact[:, :2]), np.round(exact[:, 2:])
    thin = far <= near
    near = np.where(thin, np.minimum(np.floor(exact[:, :2]), sides - 1), near)
    far = np.where(thin, near + 1, far)
    # float32 itself puts edges up to a few thousandths of a pixel beside whole ones.
    rounded = (np.abs(np.concatenate([near, far], axis=-1) - exact) > 0.005).any(axis=-1)
    corners = np.stack([near[:, 1] + 1, near[:, 0] + 1, far[:, 1], far[:, 0]], axis=-1)
    return corners.astype(np.int64), rounded


def _shortest(exact, read_back, wanted):
    """`exact` with as few decimals as give `wanted` when read back."""
    short, open_ = exact.copy(), np.ones(exact.shape, bool)
    for digits in _PIXEL_DIGITS:
        candidate = np.where(open_, np.round(exact, digits), short)
        good = open_ & (read_back(candidate).astype(np.float32) == wanted)
        short[good] = candidate[good]
        open_ &= ~good
        if not open_.any():
            break
    return short
