"""Random erasing (Zhong et al. 2020, "Random Erasing Data Augmentation"): rectangles hide parts of an image."""

import math

import tensorflow as tf

from pix2seq_keras.boxes import boxes_to_pixels
from pix2seq_keras.data.transforms.flip import random_event
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def random_erase(
    image,
    boxes,
    *,
    probability=0.5,
    count=1,
    min_area=0.02,
    max_area=0.2,
    max_aspect=3.3,
    min_visible=0.3,
    seed,
):
    """Paints rectangles of random place, size, aspect and colour over an image, with a given probability.

    Boxes keep their coordinates: the model should predict the whole extent of an object that is partly hidden. An
    object of which too little stays visible gets a box without area, which `drop_crowds_and_dead_boxes` removes.

    Args:
        image: float32 tensor (h, w, 3) in [0, 1], or uint8.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1], that any rectangle is painted. Defaults to 0.5.
        count: int ≥ 1, how many rectangles are painted then. They may overlap. Defaults to 1.
        min_area: float > 0, the smallest area of a rectangle as a share of the image's. Defaults to 0.02.
        max_area: float ≤ 1, the largest one. Defaults to 0.2. Areas are uniform between them; sides are rounded to
            pixels and cut to the image's.
        max_aspect: float ≥ 1; height over width is log-uniform between 1 / max_aspect and max_aspect. Defaults to
            3.3.
        min_visible: float in [0, 1]. A box loses its area if less than this share of it is visible; 0 keeps all
            boxes. Defaults to 0.3.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)` of the same shapes and dtypes.

    Raises:
        InputError: if an argument is out of its range.

    Example:
        >>> image, boxes = random_erase(image, boxes, probability=0.25, count=2, seed=(0, 1))
    """
    if not (0 < min_area <= max_area <= 1 and count >= 1 and max_aspect >= 1 and 0 <= min_visible <= 1):
        raise InputError(
            "`random_erase` requires 0 < min_area ≤ max_area ≤ 1, count ≥ 1, max_aspect ≥ 1 and 0 ≤ min_visible ≤ 1. "
            f"Received: min_area={min_area}, max_area={max_area}, count={count}, max_aspect={max_aspect}, "
            f"min_visible={min_visible}"
        )

    def erased():
        rectangles = _random_rectangles(tf.shape(image)[:2], count, (min_area, max_area), max_aspect, seed)
        colors = tf.random.stateless_uniform([count, 3], fold(seed, "erase color"))
        painted = image
        for rectangle, color in zip(tf.unstack(rectangles), tf.unstack(colors), strict=True):
            painted = _paint(painted, rectangle, tf.image.convert_image_dtype(color, image.dtype))
        visible = 1.0 - hidden_share(boxes_to_pixels(boxes, tf.shape(image)[:2]), rectangles)
        return painted, tf.where((visible >= min_visible)[:, None], boxes, 0.0)

    return tf.cond(random_event(probability, fold(seed, "erase")), erased, lambda: (image, boxes))


def hidden_share(boxes_pixels, rectangles):
    """The share of each box that rectangles cover; where they overlap, the area counts once.

    Args:
        boxes_pixels: float32 tensor (n, 4), `yxyx` in pixels.
        rectangles: int32 tensor (count, 4), `yxyx` in pixels.

    Returns:
        float32 tensor (n,) in [0, 1]; 0 for boxes without area.
    """
    # The rectangles' sides cut the plane into a grid, each cell of which is covered fully or not at all.
    corners = tf.cast(rectangles, tf.float32)
    ys = tf.sort(tf.reshape(corners[:, 0::2], [-1]))  # (2·count,)
    xs = tf.sort(tf.reshape(corners[:, 1::2], [-1]))
    in_rows = (corners[:, :1] <= ys[:-1]) & (ys[1:] <= corners[:, 2:3])  # (count, 2·count − 1)
    in_columns = (corners[:, 1:2] <= xs[:-1]) & (xs[1:] <= corners[:, 3:])
    covered = tf.reduce_any(in_rows[:, :, None] & in_columns[:, None, :], 0)  # (2·count − 1, 2·count − 1)

    ymin, xmin, ymax, xmax = tf.split(boxes_pixels, 4, -1)  # (n, 1) each
    heights = tf.maximum(tf.minimum(ymax, ys[1:]) - tf.maximum(ymin, ys[:-1]), 0.0)  # (n, 2·count − 1)
    widths = tf.maximum(tf.minimum(xmax, xs[1:]) - tf.maximum(xmin, xs[:-1]), 0.0)
    hidden = tf.reduce_sum(heights * tf.linalg.matmul(widths, tf.cast(covered, tf.float32), transpose_b=True), -1)
    share = tf.math.divide_no_nan(hidden, ((ymax - ymin) * (xmax - xmin))[:, 0])
    return tf.clip_by_value(share, 0.0, 1.0)  # rounding may make the sum of the cells larger than the box


def _random_rectangles(size, count, areas, max_aspect, seed):
    """Rectangles int32 (count, 4), `yxyx` in pixels, inside an image of `size` (2,)."""
    limit = math.log(max_aspect)
    area = tf.random.stateless_uniform([count], fold(seed, "erase area"), *areas)
    aspect = tf.exp(tf.random.stateless_uniform([count], fold(seed, "erase aspect"), -limit, limit))
    area *= tf.cast(size[0] * size[1], tf.float32)
    sides = tf.cast(tf.round(tf.sqrt(tf.stack([area * aspect, area / aspect], -1))), tf.int32)  # (count, 2)
    sides = tf.clip_by_value(sides, 1, size)
    places = tf.random.stateless_uniform([count, 2], fold(seed, "erase place"))
    corner = tf.cast(places * tf.cast(size - sides + 1, tf.float32), tf.int32)
    corner = tf.minimum(corner, size - sides)  # float32 may round the product up to the next integer
    return tf.concat([corner, corner + sides], -1)


def _paint(image, rectangle, color):
    """The image with one rectangle (4,) in one colour (3,), concatenated from slices, which is the fastest way."""
    ymin, xmin, ymax, xmax = tf.unstack(rectangle)
    middle = image[ymin:ymax]
    patch = tf.tile(color[None, None], [ymax - ymin, xmax - xmin, 1])
    middle = tf.concat([middle[:, :xmin], patch, middle[:, xmax:]], 1)
    return tf.concat([image[:ymin], middle, image[ymax:]], 0)
