"""In which order the objects of an image are read out (Pix2Seq, section 4.4, figure 7a)."""

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import shuffled

ORDERS = ("random", "area", "dist2ori", "class", "class_area", "class_dist2ori", "given")


def order_objects(boxes, classes, order="random", seed=(0, 0)):
    """The order of the objects in the sequence.

    Args:
        boxes: float tensor (n, 4), `rel_yxyx`.
        classes: int tensor (n,).
        order: one of `"random"`; `"area"`, the largest first; `"dist2ori"`, by the distance of the top left corner to
            the image's; `"class"`, by class, within one in random order; `"class_area"` and `"class_dist2ori"`, by
            class, then as named; `"given"`, as they come.
        seed: int tensor (2,), used by `"random"` and to order what is equal.

    Returns:
        int32 tensor (n,): a permutation to gather boxes and classes with.

    Raises:
        InputError: if `order` is unknown.
    """
    if order not in ORDERS:
        raise InputError(f"Unknown order of objects: {order!r}. Use one of {', '.join(ORDERS)}.")
    count = tf.shape(boxes)[0]
    if order == "given":
        return tf.range(count)
    permutation = shuffled(count, seed)
    # Stable sorts, the least important key first: the shuffle decides what the keys leave equal.
    boxes = tf.gather(boxes, permutation)  # (n, 4)
    if order.endswith("area"):
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        permutation = tf.gather(permutation, tf.argsort(-areas, stable=True))
    elif order.endswith("dist2ori"):
        distances = tf.square(boxes[:, 0]) + tf.square(boxes[:, 1])
        permutation = tf.gather(permutation, tf.argsort(distances, stable=True))
    if order.startswith("class"):
        permutation = tf.gather(permutation, tf.argsort(tf.gather(classes, permutation), stable=True))
    return permutation
