"""The order of the objects in a sequence (Pix2Seq, section 4.4, figure 7a)."""

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.options import ORDERS
from pix2seq_keras.sequences.randomness import shuffled


def order_objects(boxes, classes, order="random", seed=(0, 0)):
    """The order of the objects in the sequence.

    Args:
        boxes: float tensor (n, 4), `rel_yxyx`.
        classes: int tensor (n,).
        order: str, `"random"`; `"area"`, the largest first; `"dist2ori"`, by the distance from the top left corner of
            the box to that of the image; `"class"`, by class, and randomly within a class; `"class_area"` and
            `"class_dist2ori"`, by class, then by the second key; `"given"`, as they are. Defaults to `"random"`.
        seed: int tensor (2,), for `"random"` and for the order of equal objects. Defaults to (0, 0).

    Returns:
        int32 tensor (n,): a permutation to gather boxes and classes with.

    Raises:
        InputError: if `order` is unknown.
    """
    if order not in ORDERS:
        raise InputError(f"`order` must be one of {', '.join(ORDERS)}. Received: order={order!r}.")
    count = tf.shape(boxes)[0]
    if order == "given":
        return tf.range(count)
    permutation = shuffled(count, seed)
    # Stable sorts, the least important key first: objects with equal keys stay in random order.
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
