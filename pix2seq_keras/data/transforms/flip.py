"""Left becomes right, or top becomes bottom, now and then."""

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def random_horizontal_flip(image, boxes, *, probability=0.5, seed):
    """Mirrors an image and its boxes left to right with a given probability.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1]. 0 never flips (digits and letters have no mirror image), 1 always does.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)` of the same shapes.

    Raises:
        InputError: the probability is not in [0, 1].

    Example:
    ```python
    image, boxes = random_horizontal_flip(image, boxes, seed=(0, 1))
    ```
    """
    return _flip_if(drawn(probability, fold(seed, "horizontal_flip")), image, boxes, axis=1)


def random_vertical_flip(image, boxes, *, probability=0.5, seed):
    """Mirrors an image and its boxes top to bottom with a given probability: for images without an up.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1].
        seed: int tensor (2,).

    Returns:
        `(image, boxes)` of the same shapes.

    Raises:
        InputError: the probability is not in [0, 1].

    Example:
    ```python
    image, boxes = random_vertical_flip(image, boxes, seed=(0, 1))
    ```
    """
    return _flip_if(drawn(probability, fold(seed, "vertical_flip")), image, boxes, axis=0)


def _flip_if(flipped, image, boxes, axis):
    image = tf.cond(flipped, lambda: tf.reverse(image, [axis]), lambda: image)
    mirrored = mirrored_boxes(boxes, vertically=axis == 0, horizontally=axis == 1)
    return image, tf.where(flipped, mirrored, boxes)


def mirrored_boxes(boxes, vertically=False, horizontally=False):
    """The boxes of an image that was mirrored.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx`.
        vertically: bool, whether top and bottom changed places.
        horizontally: bool, whether left and right did.

    Returns:
        float32 tensor (n, 4).
    """
    ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=-1)  # (n,) each
    if vertically:
        ymin, ymax = 1.0 - ymax, 1.0 - ymin
    if horizontally:
        xmin, xmax = 1.0 - xmax, 1.0 - xmin
    return tf.stack([ymin, xmin, ymax, xmax], -1)  # (n, 4)


def drawn(probability, seed):
    """Whether something of this probability happens: a bool scalar tensor, decided by the seed (2,).

    Raises:
        InputError: the probability is not in [0, 1].
    """
    if not 0 <= probability <= 1:
        raise InputError(f"A probability must lie in [0, 1]. Received probability={probability}.")
    # The number is drawn from [0, 1), so that 0 and 1 mean never and always.
    return tf.random.stateless_uniform([], seed) < probability
