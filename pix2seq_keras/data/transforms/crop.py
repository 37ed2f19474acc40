"""A random crop to at most the canvas."""

import tensorflow as tf

from pix2seq_keras.boxes import boxes_from_pixels, boxes_to_pixels, shift_boxes
from pix2seq_keras.sequences.randomness import fold


def random_crop(image, boxes, canvas, *, seed):
    """Crops an image to at most the canvas, at a random place.

    As published, one uniform number times the slack of both axes, truncated, gives both offsets: the window is
    somewhere on the diagonal. An axis shorter than the canvas is not cropped.
    Training uses `jitter_and_crop`; this function is the reference that it is tested against.

    Args:
        image: float32 tensor (h, w, 3).
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        canvas: pair of int (H, W), in pixels.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: float32 (min(h, H), min(w, W), 3) and float32 (n, 4), `rel_yxyx` of the cropped image and
        clipped to [0, 1]. Every row remains: boxes outside the crop have no area, and `drop_crowds_and_dead_boxes`
        removes them.

    Example:
        >>> image, boxes = random_crop(image, boxes, canvas=(640, 640), seed=(0, 1))
    """
    size = tf.shape(image)[:2]
    offset, cropped_size = random_window(size, canvas, seed)
    image = tf.slice(image, tf.concat([offset, [0]], 0), tf.concat([cropped_size, [3]], 0))
    return image, crop_boxes(boxes, size, offset, cropped_size)


def random_window(size, canvas, seed):
    """Chooses where `random_crop` crops.

    Args:
        size: int32 tensor (2,), height and width of the image in pixels.
        canvas: pair of int (H, W), in pixels.
        seed: int tensor (2,).

    Returns:
        `(offset, cropped_size)`: int32 tensors (2,) in pixels, y and x of the top left corner, height and width.
    """
    cropped_size = tf.minimum(size, tf.constant(canvas))
    slack = tf.cast(size - cropped_size, tf.float32)
    offset = tf.cast(tf.random.stateless_uniform([], fold(seed, "random_crop")) * slack, tf.int32)
    return offset, cropped_size


def crop_boxes(boxes, size, offset, cropped_size):
    """Moves boxes to the frame of a crop and clips them to it.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        size: int32 tensor (2,), height and width of the image in pixels.
        offset: int32 tensor (2,), y and x of the crop's top left corner.
        cropped_size: int32 tensor (2,), height and width of the crop.

    Returns:
        float32 tensor (n, 4), `rel_yxyx` of the crop, in [0, 1].
    """
    boxes_pixels = shift_boxes(boxes_to_pixels(boxes, size), -offset)  # (n, 4)
    return tf.clip_by_value(boxes_from_pixels(boxes_pixels, cropped_size), 0.0, 1.0)
