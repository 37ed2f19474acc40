"""The EXIF orientation: how an image as stored, and the boxes drawn on it, become upright."""

import numpy as np
from PIL import Image

from pix2seq_keras.boxes import flip_boxes, transpose_boxes
from pix2seq_keras.errors import InputError

_ORIENTATION_TAG = 0x0112
# Orientation -> (transpose, then flip vertically, then flip horizontally): from the stored image to the upright one.
ORIENTATIONS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def orientation_of(image):
    """The EXIF orientation of a Pillow image.

    Args:
        image: `PIL.Image.Image`; its pixels need not be loaded.

    Returns:
        int, 1…8; 1 where it has none, or a damaged one.
    """
    try:
        # The base class reads the header only; PngImageFile's own method would decode all pixels.
        orientation = Image.Image.getexif(image).get(_ORIENTATION_TAG, 1)
    except Exception:  # viewers ignore a damaged EXIF block too
        return 1
    return int(orientation) if orientation in ORIENTATIONS else 1


def swaps_axes(orientation):
    """Whether the upright image has the stored image's height as its width.

    Args:
        orientation: int, EXIF orientation 1…8.

    Returns:
        bool.
    """
    return ORIENTATIONS[orientation][0]


def upright_pixels(pixels, orientation):
    """Makes an image upright.

    Args:
        pixels: array (H, W, 3), the image as stored.
        orientation: int, its EXIF orientation 1…8.

    Returns:
        Array (H, W, 3) or (W, H, 3), a view.
    """
    transpose, flip_vertically, flip_horizontally = ORIENTATIONS[orientation]
    if transpose:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: -1 if flip_vertically else 1, :: -1 if flip_horizontally else 1]


def upright_boxes(boxes, orientation):
    """Moves boxes drawn on an image as stored to the upright image.

    Args:
        boxes: float array (n, 4), `rel_yxyx` of the stored image.
        orientation: int, EXIF orientation 1…8 of the image.

    Returns:
        Array (n, 4), `rel_yxyx` of the upright image, in the dtype of `boxes`.

    Raises:
        InputError: if there is no such orientation.

    Example:
        >>> upright_boxes(np.array([[0.0, 0.25, 1.0, 0.5]]), orientation=2)
        array([[0.  , 0.5 , 1.  , 0.75]])
    """
    if orientation not in ORIENTATIONS:
        raise InputError(f"`orientation` must be 1…8. Received: orientation={orientation!r}")
    transpose, flip_vertically, flip_horizontally = ORIENTATIONS[orientation]
    boxes = np.asarray(boxes)
    return flip_boxes(transpose_boxes(boxes) if transpose else boxes, flip_horizontally, flip_vertically)
