"""Left becomes right, now and then."""

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold


def random_horizontal_flip(image, boxes, *, probability=0.5, seed):
    """Mirrors a picture and its boxes left to right with a given probability.

    Args:
        image: float32 tensor (h, w, 3).
        boxes: float32 tensor (n, 4), `rel_yxyx` of the picture.
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
    if not 0 <= probability <= 1:
        raise InputError(f"The probability of a flip must lie in [0, 1]. Received probability={probability}.")
    # The number is drawn from [0, 1), so that 0 and 1 mean never and always.
    flipped = tf.random.stateless_uniform([], fold(seed, "horizontal_flip")) < probability
    image = tf.cond(flipped, lambda: tf.reverse(image, [1]), lambda: image)
    ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=-1)  # (n,) each
    mirrored = tf.stack([ymin, 1.0 - xmax, ymax, 1.0 - xmin], -1)  # (n, 4)
    return image, tf.where(flipped, mirrored, boxes)
