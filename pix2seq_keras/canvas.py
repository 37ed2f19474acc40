"""The canvas: the size in pixels that every image is fitted into."""

import operator

from pix2seq_keras.errors import InputError

MAX_CANVAS_PIXELS = 2**24  # 4096×4096, 200 MB as float32


def canvas_size(image_size):
    """Checks the size of a canvas.

    Args:
        image_size: int or (H, W), pixels.

    Returns:
        Tuple (H, W) of ints.

    Raises:
        InputError: if it is neither an int nor a pair, not positive, or too large.

    Example:
        >>> canvas_size(640)
        (640, 640)
    """
    sides = image_size if isinstance(image_size, tuple | list) else (image_size, image_size)
    try:
        canvas = tuple(operator.index(side) for side in sides)
    except TypeError:
        canvas = ()
    if len(canvas) != 2 or min(canvas) < 1:
        raise InputError(
            "`image_size` must be a positive integer or a pair (H, W), in pixels. "
            f"Received: image_size={image_size!r:.80}"
        )
    if canvas[0] * canvas[1] > MAX_CANVAS_PIXELS:
        raise InputError(f"`image_size` must have at most {MAX_CANVAS_PIXELS} pixels. Received: image_size={canvas}")
    return canvas
