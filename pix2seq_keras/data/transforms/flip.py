"""Random horizontal and vertical flips."""

import tensorflow as tf

from pix2seq_keras.boxes import flip_boxes
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def random_horizontal_flip(image, boxes, *, probability=0.5, seed):
    """Flips an image and its boxes left to right with a given probability.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1]. 0 never flips, 1 always does. Defaults to 0.5. Use 0 for digits and letters.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)` of the same shapes.

    Raises:
        InputError: if the probability is not in [0, 1].

    Example:
        >>> image, boxes = random_horizontal_flip(image, boxes, seed=(0, 1))
    """
    return _flip_if(random_event(probability, fold(seed, "horizontal_flip")), image, boxes, axis=1)


def random_vertical_flip(image, boxes, *, probability=0.5, seed):
    """Flips an image and its boxes top to bottom with a given probability: for images without an up.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1]. Defaults to 0.5.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)` of the same shapes.

    Raises:
        InputError: if the probability is not in [0, 1].

    Example:
        >>> image, boxes = random_vertical_flip(image, boxes, seed=(0, 1))
    """
    return _flip_if(random_event(probability, fold(seed, "vertical_flip")), image, boxes, axis=0)


def _flip_if(flipped, image, boxes, axis):
    image = tf.cond(flipped, lambda: tf.reverse(image, [axis]), lambda: image)
    return image, tf.where(flipped, flip_boxes(boxes, horizontally=axis == 1, vertically=axis == 0), boxes)


def random_event(probability, seed):
    """Decides whether an event of a given probability happens.

    Args:
        probability: float in [0, 1].
        seed: int tensor (2,), decides the outcome.

    Returns:
        bool scalar tensor.

    Raises:
        InputError: if the probability is not in [0, 1].
    """
    if not 0 <= probability <= 1:
        raise InputError(f"`probability` must be in [0, 1]. Received: probability={probability}")
    # Numbers are uniform in [0, 1), so 0 means never and 1 means always.
    return tf.random.stateless_uniform([], seed) < probability
