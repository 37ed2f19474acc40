"""Half of the readings from the mirrored image.

Readings of one image share what its encoding makes hard to see. Mirrored from left to right the image is encoded
anew: where a model learned from flipped images too, its second look misses other things than the first.
"""

import tensorflow as tf


def with_mirrored(canvases, unpadded):
    """Every canvas, followed by the same with its image mirrored from left to right, in place: padding stays.

    Args:
        canvases: float tensor (B, H, W, 3).
        unpadded: int32 tensor (B, 2), the part of each canvas that is image; `None` where all of it is.

    Returns:
        Float tensor (2·B, H, W, 3).
    """
    shape = canvases.shape[1:]
    widths = tf.fill([tf.shape(canvases)[0]], shape[1]) if unpadded is None else unpadded[:, 1]
    mirrored = tf.reverse_sequence(canvases, widths, seq_axis=2, batch_axis=0)
    return tf.reshape(tf.stack([canvases, mirrored], 1), [-1, *shape])


def with_seeds_for_mirrored(seeds):
    """int32 (B,) -> (2·B,): an image has its seed, its mirrored one another."""
    seeds = tf.cast(seeds, tf.int32)
    return tf.reshape(tf.stack([seeds, tf.bitwise.invert(seeds)], 1), [-1])


def mirrored_back(objects, readings):
    """Objects of B·readings rows, half of each image's read from the mirrored one, as objects of the images.

    Args:
        objects: dictionary of `found_objects`; those rows of an image that are of the mirrored one come second.
        readings: int, even.

    Returns:
        The same dictionary with other `"boxes"`; unused rows stay 0.
    """
    boxes, exists = objects["boxes"], objects["classes"] >= 0
    turned = (tf.range(tf.shape(boxes)[0]) % readings >= readings // 2)[:, None] & exists  # (B·readings, n)
    ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=-1)
    mirrored = tf.stack([ymin, 1.0 - xmax, ymax, 1.0 - xmin], -1)
    return {**objects, "boxes": tf.where(turned[..., None], mirrored, boxes)}
