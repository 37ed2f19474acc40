"""Several samples of one image, and their detections merged.

A sampled sequence may miss an object; another sequence misses others. The mean of the scores that independent samples
give an object, 0 where a sample misses it, estimates its expected score. Boxes are averaged as in weighted boxes fusion
(Solovyev et al., 2021, section 3), which merges detectors instead of samples.
"""

import tensorflow as tf

from pix2seq_keras.boxes import pairwise_iou

SAME_OBJECT_IOU = 0.5  # boxes of one class that overlap by this much are one object


def sample_seeds(seeds, num_samples):
    """int32 (B,) -> (B·num_samples,): the first sample of an image has its seed, the others have distant ones."""
    steps = tf.range(num_samples) * -1640531527  # 2³² over the golden ratio; integers wrap around
    return tf.reshape(tf.cast(seeds, tf.int32)[:, None] + steps, [-1])


def merge_detections(objects, num_samples):
    """Merges the detections of an image's samples into one set.

    Detections of one class that overlap by an IoU of 0.5 or more, in any sample, are one object: greedily, the best
    detection of all gathers the others. The object's score is the mean over the samples of the best score in each; its
    box is the mean of the boxes, weighted by their scores.

    Args:
        objects: dictionary of `detection.parse_objects` for B·num_samples rows, those of an image one after the other.
        num_samples: int.

    Returns:
        Dictionary of `"boxes"` float32 (B, N, 4), `"classes"` int32 and `"scores"` float32 (B, N), N = num_samples·n,
        and `"num_detections"` int32 (B,), sorted by score, unused rows last.
    """
    shape = [tf.shape(objects["scores"])[0] // num_samples, num_samples * objects["scores"].shape[1]]
    boxes = tf.reshape(objects["boxes"], [*shape, 4])
    classes, scores = (tf.reshape(objects[name], shape) for name in ("classes", "scores"))
    width = shape[1]
    kinds = {
        "boxes": tf.TensorSpec([width, 4], tf.float32),
        "classes": tf.TensorSpec([width], tf.int32),
        "scores": tf.TensorSpec([width], tf.float32),
        "num_detections": tf.TensorSpec([], tf.int32),
    }
    merge = lambda rows: _merge_one(*rows, num_samples)
    # All boxes are compared with all: 16 samples of 100 objects take 80 MB an image, so one image at a time.
    return tf.map_fn(merge, (boxes, classes, scores), fn_output_signature=kinds, parallel_iterations=1)


def _merge_one(boxes, classes, scores, num_samples):
    """The same for one image: boxes (N, 4), classes and scores (N,), sample by sample."""
    width = scores.shape[0]
    exists = classes >= 0
    same = (pairwise_iou(boxes, boxes) >= SAME_OBJECT_IOU) & (classes[:, None] == classes[None, :])
    same = (same | tf.eye(width, dtype=tf.bool)) & exists[:, None] & exists[None, :]  # boxes may be empty
    place = tf.range(width)
    # (N, N): whether the first comes before the second.
    ahead = (scores[:, None] > scores[None, :]) | ((scores[:, None] == scores[None, :]) & (place[:, None] < place))
    leads = _leaders(same & ahead, exists)
    # The best leader that a detection overlaps; itself for a leader.
    rank = tf.reduce_sum(tf.cast(ahead, tf.int32), 0)  # (N,), 0 is the best
    candidates = tf.where(same & leads[:, None], rank[:, None], width)  # (leader, member)
    member = (tf.argmin(candidates, 0, tf.int32)[None, :] == place[:, None]) & exists[None, :] & leads[:, None]
    shares = tf.where(member, scores[None, :], 0.0)
    best = tf.reduce_max(tf.reshape(shares, [width, num_samples, width // num_samples]), -1)  # (N, num_samples)
    total = tf.reduce_sum(shares, -1)
    mean_boxes = tf.matmul(shares, boxes) / tf.where(total > 0, total, 1.0)[:, None]
    mean_boxes = tf.where((total > 0)[:, None], mean_boxes, boxes)
    merged_scores = tf.where(leads, tf.reduce_mean(best, -1), 0.0)
    order = tf.argsort(tf.where(leads, -merged_scores, float("inf")), stable=True)
    rows = {
        "boxes": tf.where(leads[:, None], mean_boxes, 0.0),
        "classes": tf.where(leads, classes, -1),
        "scores": merged_scores,
    }
    number = tf.reduce_sum(tf.cast(leads, tf.int32))
    return {**{name: tf.gather(row, order) for name, row in rows.items()}, "num_detections": number}


def _leaders(covers, exists):
    """The detections that no better leader covers: (N, N) bool, the first covers the second -> (N,) bool.

    The rule refers to itself, but only to what is ahead: started from all detections, it settles after as many rounds
    as the longest chain has links.
    """

    def settle(leads, _):
        covered = tf.reduce_any(covers & leads[:, None], 0)
        following = exists & ~covered
        return following, tf.reduce_any(following != leads)

    leads, _ = tf.while_loop(lambda _, changed: changed, settle, (exists, tf.constant(True)))
    return leads
