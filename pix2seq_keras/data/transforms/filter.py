"""Removal of objects that cannot be learnt: crowds, and boxes without area."""

import tensorflow as tf

OBJECT_KEYS = ("boxes", "classes", "is_crowd", "area")  # the parts of an example with one row per object


def drop_crowds_and_dead_boxes(example):
    """Removes objects that are crowds or whose box has no area.

    A box is kept if all its coordinates are finite, ymax > ymin and xmax > xmin. A crop leaves boxes without area
    where objects were outside of it.

    Args:
        example: dict with "boxes" float32 (n, 4), `rel_yxyx`, and any of "classes" (n,), "is_crowd" bool (n,), "area"
            (n,); without "is_crowd" there are no crowds. Other keys are passed on.

    Returns:
        A new dict with the same keys and m ≤ n objects, in the same order.

    Example:
        >>> dataset = dataset.map(drop_crowds_and_dead_boxes)
    """
    boxes = example["boxes"]
    finite = tf.reduce_all(tf.math.is_finite(boxes), -1)  # (n,)
    alive = finite & tf.reduce_all(boxes[:, 2:] > boxes[:, :2], -1)
    if "is_crowd" in example:
        alive &= ~tf.cast(example["is_crowd"], tf.bool)
    kept = {key: tf.boolean_mask(example[key], alive) for key in OBJECT_KEYS if key in example}
    return {**example, **kept}
