"""Images of one rectangle, and functions that find it again: every geometric transform is tested with them."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

BACKGROUND = (0.1, 0.2, 0.8)
RECTANGLE = (0.9, 0.3, 0.1)


def draw(case):
    """One image with a rectangle of whole pixels, a function of the number `case`.

    Every third image is 3:1 or 1:3, every fourth rectangle touches the frame, every fifth is one pixel thin.

    Returns:
        `(image, box)`: float32 (h, w, 3) and float32 (1, 4), `rel_yxyx`.
    """
    rng = np.random.default_rng(case)
    height, width = rng.integers(24, 120, 2)
    if case % 3 == 0:
        height = int(rng.integers(12, 40))
        width = 3 * height
        if case % 2:
            height, width = width, height
    (ymin, ymax), (xmin, xmax) = (sorted(rng.choice(n + 1, 2, replace=False)) for n in (height, width))
    if case % 4 == 0:
        ymin, xmax = 0, width
    if case % 5 == 0:
        ymax = ymin + 1
        if case % 2:
            xmax = xmin + 1
    image = np.tile(np.float32(BACKGROUND), (height, width, 1))
    image[ymin:ymax, xmin:xmax] = RECTANGLE
    box = np.float32([[ymin / height, xmin / width, ymax / height, xmax / width]])
    return image, box


def find(image):
    """The rectangle's (ymin, xmin, ymax, xmax) in pixels, or None if it is not visible."""
    mask = np.asarray(image)[..., 0] > 0.5
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])


def check_alignment(image, box):
    """Asserts that the box (1, 4) and the coloured pixels agree within one pixel.

    Returns:
        bool: whether there were pixels to compare.
    """
    height, width = image.shape[:2]
    ymin, xmin, ymax, xmax = box_pixels = np.asarray(box)[0] * [height, width, height, width]
    found = find(image)
    if ymax <= ymin or xmax <= xmin:
        assert found is None, f"a box without area {box_pixels}, but pixels at {found}"
    if min(ymax - ymin, xmax - xmin) >= 2:  # smaller ones may fall between the samples of a resize
        assert found is not None, f"no pixels of the box {box_pixels}"
    if found is not None:
        difference = np.abs(found - box_pixels).max()
        assert difference <= 1, f"pixels at {found}, box at {box_pixels}, image {height}×{width}"
    return found is not None


def graph(transform):
    """`transform(image, boxes, seed)` as one traced function for images and box counts of any size."""
    return tf.function(
        transform,
        autograph=False,
        input_signature=[
            tf.TensorSpec((None, None, 3), tf.float32),
            tf.TensorSpec((None, 4), tf.float32),
            tf.TensorSpec((2,), tf.int32),
        ],
    )


@pytest.fixture(scope="session")
def rectangles():
    """The helpers `draw`, `find`, `check_alignment` and `graph`."""
    return SimpleNamespace(draw=draw, find=find, check_alignment=check_alignment, graph=graph)


@pytest.fixture(scope="session")
def no_boxes():
    """An image without objects: `(image, boxes)` with boxes (0, 4)."""
    return tf.random.stateless_uniform((30, 50, 3), (0, 0)), tf.zeros((0, 4))
