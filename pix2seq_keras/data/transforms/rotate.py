"""Random rotations by multiples of 90 degrees, and the random transpose."""

import tensorflow as tf

from pix2seq_keras.boxes import flip_boxes, transpose_boxes
from pix2seq_keras.data.transforms.flip import random_event
from pix2seq_keras.sequences.randomness import fold


def random_transpose(image, boxes, *, probability=0.5, seed):
    """Exchanges rows and columns of an image and its boxes with a given probability.

    Together with the flips this gives all eight orientations of an image without an up. (h, w) becomes (w, h), so
    apply it before the image is fitted to its canvas.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1]. Defaults to 0.5.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: (h, w, 3) or (w, h, 3), and float32 (n, 4), `rel_yxyx` of that image.

    Raises:
        InputError: if the probability is not in [0, 1].

    Example:
        >>> random_transpose(tf.zeros((480, 640, 3)), tf.zeros((0, 4)), probability=1.0, seed=(0, 1))[0].shape
        TensorShape([640, 480, 3])
    """
    transposed = random_event(probability, fold(seed, "transpose"))
    image = tf.cond(transposed, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    return image, tf.where(transposed, transpose_boxes(boxes), boxes)


def random_rotation(image, boxes, *, probability=0.5, seed):
    """Rotates an image and its boxes by 90, 180 or 270 degrees with a given probability.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1], that the image is rotated at all; the three angles are equally likely. Defaults
            to 0.5. With 0.75 all four orientations are equally likely.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: (h, w, 3) or (w, h, 3), and float32 (n, 4), `rel_yxyx` of that image.

    Raises:
        InputError: if the probability is not in [0, 1].

    Example:
        >>> image, boxes = random_rotation(image, boxes, probability=0.75, seed=(0, 1))
    """
    rotated = random_event(probability, fold(seed, "quarter_turn"))
    quarters = tf.random.stateless_uniform([], fold(seed, "angle"), 1, 4, dtype=tf.int32)
    return rotate(image, boxes, tf.where(rotated, quarters, 0))


def rotate(image, boxes, quarters):
    """Rotates an image and its boxes counter-clockwise by `quarters` · 90 degrees.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        quarters: int scalar tensor, 0 … 3.

    Returns:
        `(image, boxes)`: as `np.rot90(image, quarters)`, and float32 (n, 4), `rel_yxyx` of that image.
    """

    def by_0():
        return image, boxes

    def by_90():
        rotated_boxes = flip_boxes(transpose_boxes(boxes), vertically=True)
        return tf.reverse(tf.transpose(image, [1, 0, 2]), [0]), rotated_boxes

    def by_180():
        return tf.reverse(image, [0, 1]), flip_boxes(boxes, horizontally=True, vertically=True)

    def by_270():
        rotated_boxes = flip_boxes(transpose_boxes(boxes), horizontally=True)
        return tf.reverse(tf.transpose(image, [1, 0, 2]), [1]), rotated_boxes

    return tf.switch_case(quarters, [by_0, by_90, by_180, by_270])
