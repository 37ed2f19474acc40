"""Quarter turns and the transpose: what rows and columns trade places in."""

import tensorflow as tf

from pix2seq_keras.data.transforms.flip import drawn, mirrored_boxes
from pix2seq_keras.sequences.randomness import fold


def random_transpose(image, boxes, *, probability=0.5, seed):
    """Exchanges rows and columns of an image and its boxes with a given probability.

    Together with the flips this gives all eight positions of an image that has no up: (h, w) becomes (w, h), so
    that it belongs before the image is fitted to its canvas.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1].
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: (h, w, 3) or (w, h, 3), and float32 (n, 4), `rel_yxyx` of that image.

    Raises:
        InputError: the probability is not in [0, 1].

    Example:
    ```python
    image, boxes = random_transpose(image, boxes, probability=1.0, seed=(0, 1))  # (480, 640, 3) -> (640, 480, 3)
    ```
    """
    transposed = drawn(probability, fold(seed, "transpose"))
    image = tf.cond(transposed, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    return image, tf.where(transposed, transposed_boxes(boxes), boxes)


def random_quarter_turn(image, boxes, *, probability=0.5, seed):
    """Turns an image and its boxes by 90, 180 or 270 degrees with a given probability.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        probability: float in [0, 1], that the image is turned at all; the three angles are equally likely.
        seed: int tensor (2,).

    Returns:
        `(image, boxes)`: (h, w, 3) or (w, h, 3), and float32 (n, 4), `rel_yxyx` of that image.

    Raises:
        InputError: the probability is not in [0, 1].

    Example:
    ```python
    image, boxes = random_quarter_turn(image, boxes, probability=0.75, seed=(0, 1))  # all four equally often
    ```
    """
    turned = drawn(probability, fold(seed, "quarter_turn"))
    angle = tf.random.stateless_uniform([], fold(seed, "angle"), 1, 4, dtype=tf.int32)
    return quarter_turns(image, boxes, tf.where(turned, angle, 0))


def quarter_turns(image, boxes, turns):
    """Turns an image and its boxes counter-clockwise by `turns` · 90 degrees.

    Args:
        image: tensor (h, w, 3) of any dtype.
        boxes: float32 tensor (n, 4), `rel_yxyx` of the image.
        turns: int scalar tensor, 0 … 3.

    Returns:
        `(image, boxes)`: as `np.rot90(image, turns)`, and float32 (n, 4), `rel_yxyx` of that image.
    """

    def unturned():
        return image, boxes

    def quarter():
        return tf.reverse(tf.transpose(image, [1, 0, 2]), [0]), mirrored_boxes(transposed_boxes(boxes), vertically=True)

    def half():
        return tf.reverse(image, [0, 1]), mirrored_boxes(boxes, vertically=True, horizontally=True)

    def three_quarters():
        turned = mirrored_boxes(transposed_boxes(boxes), horizontally=True)
        return tf.reverse(tf.transpose(image, [1, 0, 2]), [1]), turned

    return tf.switch_case(turns, [unturned, quarter, half, three_quarters])


def transposed_boxes(boxes):
    """The boxes of an image whose rows and columns were exchanged. (n, 4) -> (n, 4), `rel_yxyx` both."""
    return tf.gather(boxes, [1, 0, 3, 2], axis=-1)
