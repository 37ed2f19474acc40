"""Flip test: half of the samples are of the horizontally flipped image (test-time augmentation).

All samples of one image share what its encoding misses. The flipped image is encoded anew: a model that was trained
with flipped images then misses other objects.
"""

import tensorflow as tf

from pix2seq_keras.boxes import flip_boxes


def with_flipped(canvases, unpadded):
    """Every canvas, followed by the same canvas with its image flipped in place: the padding stays where it is.

    Args:
        canvases: float tensor (B, H, W, 3).
        unpadded: int32 tensor (B, 2), height and width in pixels of the part of each canvas that is image.

    Returns:
        Float tensor (2·B, H, W, 3).
    """
    flipped = tf.reverse_sequence(canvases, unpadded[:, 1], seq_axis=2, batch_axis=0)
    return tf.reshape(tf.stack([canvases, flipped], 1), [-1, *canvases.shape[1:]])


def with_flipped_seeds(seeds):
    """int32 (B,) -> (2·B,): an image keeps its seed, its flipped copy gets another."""
    seeds = tf.cast(seeds, tf.int32)
    return tf.reshape(tf.stack([seeds, tf.bitwise.invert(seeds)], 1), [-1])


def flip_back(objects, num_samples):
    """Objects of flipped images as objects of the images.

    Args:
        objects: dictionary of `detection.parse_objects` for B·num_samples rows; those of an image follow one another,
            the second half of them from the flipped image.
        num_samples: int, even.

    Returns:
        The dictionary with other `"boxes"`; unused rows stay 0.
    """
    boxes, exists = objects["boxes"], objects["classes"] >= 0
    row = tf.range(tf.shape(boxes)[0]) % num_samples
    is_flipped = (row >= num_samples // 2)[:, None] & exists  # (B·num_samples, n)
    return {**objects, "boxes": tf.where(is_flipped[..., None], flip_boxes(boxes, horizontally=True), boxes)}
