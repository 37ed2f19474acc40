"""Noise objects: boxes without an object, appended so that the model learns the noise class (Pix2Seq, section 2.3)."""

import tensorflow as tf

from pix2seq_keras.sequences.randomness import fold, shuffled

NOISE_CLASS = -2  # the class of a noise object before it becomes a token; -1 is padding


def jittered_boxes(boxes, jitter, seed):
    """Real boxes with each coordinate moved by a truncated normal of σ = `jitter` × the side, cut at 2σ; clipped.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx`.
        jitter: float, σ as a share of the box's height or width.
        seed: int tensor (2,).

    Returns:
        float32 tensor (n, 4).
    """
    sides = tf.tile(boxes[:, 2:] - boxes[:, :2], [1, 2])  # (n, 4): h, w, h, w
    moves = tf.random.stateless_truncated_normal(tf.shape(boxes), seed, stddev=jitter) * sides
    return tf.clip_by_value(boxes + moves, 0.0, 1.0)


def shifted_boxes(boxes, seed):
    """Boxes of the same sizes with centres uniform in the image; clipped. (n, 4) -> (n, 4)."""
    sides = boxes[:, 2:] - boxes[:, :2]  # (n, 2)
    centers = tf.random.stateless_uniform(tf.shape(sides), seed)
    return tf.clip_by_value(tf.concat([centers - sides / 2, centers + sides / 2], -1), 0.0, 1.0)


def random_boxes(count, seed):
    """Boxes with uniform centres and sides |truncated normal of σ 0.5|; clipped. Returns (count, 4)."""
    centers = tf.random.stateless_uniform([count, 2], fold(seed, "centers"))
    sides = tf.abs(tf.random.stateless_truncated_normal([count, 2], fold(seed, "sides"), stddev=0.5))
    return tf.clip_by_value(tf.concat([centers - sides / 2, centers + sides / 2], -1), 0.0, 1.0)


def _drawn(boxes, count, seed):
    """`count` of `boxes`, tiled to at least that number and shuffled: (count, 4), or (0, 4) if `boxes` is empty."""
    real = tf.shape(boxes)[0]
    tiled = (count + real - 1) // tf.maximum(real, 1) * real
    return tf.gather(boxes, shuffled(tiled, seed)[:count] % tf.maximum(real, 1))


def noise_boxes(boxes, count, seed, duplicate_share=None, jitter=0.05):
    """Draws noise boxes: jittered duplicates of real ones, and bad ones (shifted and random).

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx`, the real boxes in the frame of the cropped, unpadded image.
        count: int scalar tensor, how many noise boxes are wanted.
        seed: int tensor (2,).
        duplicate_share: float in [0, 1] or `None`, share of duplicates; `None` draws their number uniformly from
            0 … count, as published. Without real boxes there are no duplicates. Defaults to `None`.
        jitter: float, σ of a duplicate's coordinates as a share of its side. Defaults to 0.05.

    Returns:
        float32 tensor (count, 4), in random order.
    """
    count = tf.cast(count, tf.int32)
    if duplicate_share is None:
        # maxval is exclusive: 0 … count inclusive
        duplicates = tf.random.stateless_uniform([], fold(seed, "share"), 0, count + 1, dtype=tf.int32)
    else:
        duplicates = tf.cast(tf.round(duplicate_share * tf.cast(count, tf.float32)), tf.int32)
    duplicates = tf.where(tf.shape(boxes)[0] > 0, duplicates, 0)
    bad = count - duplicates
    good = jittered_boxes(_drawn(boxes, duplicates, fold(seed, "tile")), jitter, fold(seed, "jitter"))
    pool = tf.concat(
        [
            shifted_boxes(_drawn(boxes, bad, fold(seed, "shift tile")), fold(seed, "shift")),
            random_boxes(bad, fold(seed, "random")),
        ],
        axis=0,
    )  # (2·bad, 4), or (bad, 4) without real boxes
    pool = tf.gather(pool, shuffled(tf.shape(pool)[0], fold(seed, "pool"))[:bad])
    noise = tf.concat([good, pool], axis=0)
    noise = tf.gather(noise, shuffled(count, fold(seed, "order")))
    return tf.ensure_shape(noise, [None, 4])
