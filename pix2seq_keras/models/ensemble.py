"""Several readings of one image, and the objects that they agree on.

A sampled sequence may pass over an object: whatever it began with, it ends with some cells told and others not. Another
sequence passes over others. An object's score as the mean of the scores that independent readings give it, 0 where one
does not find it, is the estimate by sampling of its expected score. Boxes are averaged as in weighted boxes fusion
(Solovyev et al., 2021, section 3), which merges detectors instead of readings.
"""

import numbers

import numpy as np
import tensorflow as tf

from pix2seq_keras.decoding import samplers
from pix2seq_keras.errors import InputError

SAME_OBJECT = 0.5  # IoU from which boxes of a class are one object
MOST_READINGS = 16


def checked_readings(readings, sampler=None, mirror=False):
    """`readings` as an int; an `InputError` says what is wrong.

    Args:
        readings: what should be a number of readings.
        sampler: a sampler, of which several readings of one image must not be alike, or `None`.
        mirror: bool, whether half of the readings are of the mirrored image.

    Returns:
        int, 1 to 16.
    """
    if isinstance(readings, bool) or not isinstance(readings, numbers.Integral) or not 1 <= readings <= MOST_READINGS:
        raise InputError(f"readings must be a whole number from 1 to {MOST_READINGS}. Received: readings={readings!r}")
    if not isinstance(mirror, bool | np.bool_):
        raise InputError(f"mirror must be True or False. Received: mirror={mirror!r}")
    if mirror and readings % 2:
        raise InputError(
            "Half of the readings are of the mirrored image: with mirror, their number must be even. "
            f"Received: mirror={mirror}, readings={readings}. Ask for 2 readings or another even number."
        )
    if readings > (2 if mirror else 1) and isinstance(sampler, samplers.Greedy | samplers.BeamSearch):
        raise InputError(
            f"Several readings need a sampler that draws, such as 'top_p': of {sampler!r} all are alike, but for the "
            f"mirrored image's. Received: mirror={mirror}, readings={readings}"
        )
    return int(readings)


def seeds_of_readings(seeds, readings):
    """int32 (B,) -> (B·readings,): the first reading of an image has its own seed, the others have distant ones."""
    steps = tf.range(readings) * -1640531527  # 2³² over the golden ratio; integers wrap around
    return tf.reshape(tf.cast(seeds, tf.int32)[:, None] + steps, [-1])


def agreed(objects, readings):
    """One set of objects an image out of several.

    Of what overlaps by an IoU of 0.5 and has one class, in any reading, the best object gathers the others, greedily
    from the best of all. Its score is the mean over the readings of the best score in each; its box the mean of the
    boxes, weighted by their scores.

    Args:
        objects: dictionary of `found_objects` for B·readings rows, those of an image one after the other.
        readings: int.

    Returns:
        Dictionary of `"boxes"` float32 (B, N, 4), `"classes"` int32 and `"scores"` float32 (B, N), N = readings·n,
        and `"num_detections"` int32 (B,), sorted by score, unused rows last.
    """
    shape = [tf.shape(objects["scores"])[0] // readings, readings * objects["scores"].shape[1]]
    boxes = tf.reshape(objects["boxes"], [*shape, 4])
    classes, scores = (tf.reshape(objects[name], shape) for name in ("classes", "scores"))
    width = shape[1]
    kinds = {
        "boxes": tf.TensorSpec([width, 4], tf.float32),
        "classes": tf.TensorSpec([width], tf.int32),
        "scores": tf.TensorSpec([width], tf.float32),
        "num_detections": tf.TensorSpec([], tf.int32),
    }
    # All boxes are compared with all: of 16 readings of 100 objects that takes 80 MB an image.
    return tf.map_fn(lambda row: _agreed_in_one(*row, readings), (boxes, classes, scores), kinds, parallel_iterations=1)


def _agreed_in_one(boxes, classes, scores, readings):
    """What `agreed` says of one image: boxes (N, 4), classes and scores (N,), reading by reading."""
    width = scores.shape[0]
    exists = classes >= 0
    same = (_ious(boxes) >= SAME_OBJECT) & (classes[:, None] == classes[None, :])
    same = (same | tf.eye(width, dtype=tf.bool)) & exists[:, None] & exists[None, :]  # boxes may be empty
    place = tf.range(width)
    # (N, N): whether the first comes before the second.
    ahead = (scores[:, None] > scores[None, :]) | ((scores[:, None] == scores[None, :]) & (place[:, None] < place))
    leads = _leaders(same & ahead, exists)
    # The first in rank of those that lead and are the same; `leads` alone where nothing else is.
    rank = tf.reduce_sum(tf.cast(ahead, tf.int32), 0)  # (N,), 0 is the best
    candidates = tf.where(same & leads[:, None], rank[:, None], width)  # (leader, member)
    member = (tf.argmin(candidates, 0, tf.int32)[None, :] == place[:, None]) & exists[None, :] & leads[:, None]
    shares = tf.where(member, scores[None, :], 0.0)
    found = tf.reduce_max(tf.reshape(shares, [width, readings, width // readings]), -1)  # (N, readings)
    total = tf.reduce_sum(shares, -1)
    mean_boxes = tf.matmul(shares, boxes) / tf.where(total > 0, total, 1.0)[:, None]
    mean_boxes = tf.where((total > 0)[:, None], mean_boxes, boxes)
    agreed_scores = tf.where(leads, tf.reduce_mean(found, -1), 0.0)
    order = tf.argsort(tf.where(leads, -agreed_scores, float("inf")), stable=True)
    rows = {
        "boxes": tf.where(leads[:, None], mean_boxes, 0.0),
        "classes": tf.where(leads, classes, -1),
        "scores": agreed_scores,
    }
    number = tf.reduce_sum(tf.cast(leads, tf.int32))
    return {**{name: tf.gather(row, order) for name, row in rows.items()}, "num_detections": number}


def _leaders(covers, exists):
    """What no leader before it covers: (N, N) bool, the first covers the second and is ahead -> (N,) bool.

    A rule that refers to itself, but only to what is ahead: started from all, it settles after as many rounds as the
    longest chain has links.
    """

    def settle(leads, _):
        covered = tf.reduce_any(covers & leads[:, None], 0)
        following = exists & ~covered
        return following, tf.reduce_any(following != leads)

    leads, _ = tf.while_loop(lambda _, changed: changed, settle, (exists, tf.constant(True)))
    return leads


def _ious(boxes):
    """IoU of all pairs: (N, 4) `yxyx` -> (N, N); 0 where nothing has an area."""
    low = tf.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = tf.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = tf.reduce_prod(tf.maximum(high - low, 0.0), -1)
    areas = tf.reduce_prod(tf.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), -1)
    union = areas[:, None] + areas[None, :] - common
    return tf.where(union > 0, common / tf.where(union > 0, union, 1.0), 0.0)
