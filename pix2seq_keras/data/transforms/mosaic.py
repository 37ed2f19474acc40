"""Mosaic (Bochkovskiy et al. 2020, "YOLOv4", section 3.3): four images around one point of the canvas."""

import tensorflow as tf

from pix2seq_keras.boxes import box_areas, boxes_from_pixels, boxes_to_pixels, shift_boxes
from pix2seq_keras.data.transforms.filter import OBJECT_KEYS
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def mosaic(examples, canvas, *, min_visible=0.1, pad_value=0.3, seed):
    """Places four images on one canvas, around a random point where they meet.

    The point is uniform in the middle half of the canvas and divides it into four tiles. An image larger than its
    tile is cropped to it at a random place, a smaller one keeps its size. Each image has one corner at the point; the
    rest of its tile is grey.

    Args:
        examples: sequence of four dicts (top left, top right, bottom left, bottom right), each with "image" float32
            (h, w, 3) in [0, 1], or uint8, "boxes" float32 (n, 4), `rel_yxyx`, and any of "classes" (n,), "is_crowd"
            bool (n,), "area" (n,); sizes and numbers of objects may differ.
        canvas: pair of int (H, W), in pixels.
        min_visible: float in [0, 1]. A box of which less than this share is inside the crop loses its area, so that
            `drop_crowds_and_dead_boxes` removes it. 0 keeps every part. Defaults to 0.1.
        pad_value: float in [0, 1], the grey. Defaults to 0.3.
        seed: int tensor (2,).

    Returns:
        One example: "image" (H, W, 3) and the objects of all four images, concatenated in their order, with "boxes"
        `rel_yxyx` of the canvas. Other keys are those of the first example.

    Raises:
        InputError: if there are not four examples, or an argument is out of its range.

    Example:
        >>> example = mosaic([one, two, three, four], canvas=(640, 640), seed=(0, 1))
    """
    if len(examples) != 4:
        raise InputError(f"`examples` must be four, one for each tile. Received: {len(examples)} examples")
    if not 0 <= min_visible <= 1:
        raise InputError(f"`min_visible` must be in [0, 1]. Received: min_visible={min_visible}")
    size = tf.constant(canvas)  # (2,)
    point = (0.25 + 0.5 * tf.random.stateless_uniform([2], fold(seed, "mosaic point"))) * tf.cast(size, tf.float32)
    point = tf.cast(point, tf.int32)
    places = tf.random.stateless_uniform([4, 2], fold(seed, "mosaic crops"))

    tiles, boxes = [], []
    for number, example in enumerate(examples):
        after = tf.constant([number // 2, number % 2])  # (2,): whether the tile is below the point, and right of it
        tile_size = tf.where(after == 1, size - point, point)
        piece, moved = _crop(example["image"], example["boxes"], tile_size, places[number], min_visible)
        missing = tile_size - tf.shape(piece)[:2]
        before = tf.where(after == 1, 0, missing)  # rows and columns of grey between the frame and the image
        origin = tf.where(after == 1, point, before)
        grey = tf.image.convert_image_dtype(tf.constant(pad_value, tf.float32), piece.dtype)
        # As (h, 3·w): tf.pad and tf.concat take longer where the last axis is short.
        piece = tf.reshape(piece, tf.shape(piece)[:2] * [1, 3])  # (h, 3·w)
        paddings = tf.stack([before, missing - before], 1) * [[1], [3]]  # (2, 2)
        tiles.append(tf.pad(piece, paddings, constant_values=grey))
        alive = tf.reduce_all(moved[:, 2:] > moved[:, :2], -1, keepdims=True)  # (n, 1)
        moved = boxes_from_pixels(shift_boxes(moved, origin), size)
        boxes.append(tf.where(alive, moved, 0.0))

    rows = [tf.concat(tiles[:2], 1), tf.concat(tiles[2:], 1)]
    image = tf.reshape(tf.concat(rows, 0), (*canvas, 3))
    keys = [key for key in OBJECT_KEYS if key != "boxes" and key in examples[0]]
    objects = {key: tf.concat([example[key] for example in examples], 0) for key in keys}
    return {**examples[0], **objects, "image": image, "boxes": tf.concat(boxes, 0)}


def _crop(image, boxes, max_size, place, min_visible):
    """An image cropped to at most `max_size` (2,), at the share `place` (2,) of the slack.

    Returns:
        `(image, boxes)`: the boxes float32 (n, 4), `yxyx` in pixels of the crop; too small ones are zeros.
    """
    size = tf.shape(image)[:2]
    cropped_size = tf.minimum(size, max_size)
    offset = tf.cast(place * tf.cast(size - cropped_size, tf.float32), tf.int32)
    piece = tf.slice(image, tf.concat([offset, [0]], 0), tf.concat([cropped_size, [3]], 0))

    whole = shift_boxes(boxes_to_pixels(boxes, size), -offset)  # (n, 4)
    inside = tf.clip_by_value(whole, 0.0, tf.cast(tf.tile(cropped_size, [2]), tf.float32))
    visible = box_areas(inside) >= min_visible * box_areas(whole)  # (n,)
    return piece, tf.where(visible[:, None], inside, 0.0)
