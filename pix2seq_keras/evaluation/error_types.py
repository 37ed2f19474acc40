"""Classifies the errors of a detector into the six types of TIDE.

Bolya, Foley, Hays and Hoffman, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020, section 2.
True positives are those of pycocotools at IoU 0.5; crowds are left out. If two types apply, the first one in
`ERROR_TYPES` is used, which is the order of TIDE's own program.
"""

from dataclasses import dataclass

import numpy as np
from pycocotools import mask

# The first five are errors of detections, the last one of objects.
ERROR_TYPES = ("localisation", "classification", "duplicate", "background", "both", "missed")
_LOCALISATION, _CLASSIFICATION, _DUPLICATE, _BACKGROUND, _BOTH, _MISSED = range(6)
FOREGROUND_IOU, BACKGROUND_IOU = 0.5, 0.1
_MAX_PAIRS = 2_000_000  # of a detection and an object at once: crowded images would fill the memory


@dataclass(frozen=True)
class Errors:
    """The errors at the score thresholds of the classes.

    Args:
        is_true_positive: bool `(D,)`, detections above the threshold of their class that match an object.
        error_types: int `(D,)`, an index into `ERROR_TYPES` for false positives above the threshold; -1 for all other
            detections.
        is_false_negative: bool `(G,)`, objects without a match above the threshold; no crowds.
        is_missed: bool `(G,)`, the false negatives that are not the object of a localisation or classification error:
            they would stay false negatives if these errors were corrected.
    """

    is_true_positive: np.ndarray
    error_types: np.ndarray
    is_false_negative: np.ndarray
    is_missed: np.ndarray

    @property
    def is_false_positive(self):
        """Bool `(D,)`: detections above the threshold that do not match an object."""
        return self.error_types >= 0

    def count_by_class(self, accumulated, num_classes):
        """Counts the errors by class and type.

        A false positive counts for the class of the detection, a missed object for the class of the object.

        Args:
            accumulated: `Accumulated`, the results that were given to `find_errors`.
            num_classes: int, K.

        Returns:
            int array `(K, 6)`.
        """
        wrong = self.is_false_positive
        counts = np.zeros((num_classes, len(ERROR_TYPES)), int)
        np.add.at(counts, (accumulated.detections.classes[wrong], self.error_types[wrong]), 1)
        np.add.at(counts, (accumulated.ground_truth.classes[self.is_missed], _MISSED), 1)
        return counts


def find_errors(accumulated, thresholds):
    """Classifies every false positive and finds the missed objects.

    The types, by the largest IoU of a detection with any object of the given class (TIDE, section 2.1):

    - localisation: its own class, 0.1 ≤ IoU < 0.5;
    - classification: another class, IoU ≥ 0.5;
    - duplicate: its own class, IoU ≥ 0.5, but a detection with a higher score matches that object;
    - background: any class, IoU < 0.1;
    - both (class and location are wrong): all others, that is another class, 0.1 ≤ IoU < 0.5;
    - missed: objects without a match that are not the best object of a localisation or classification error.

    Args:
        accumulated: `Accumulated`.
        thresholds: float `(K,)`, minimum score of the detections of each class.

    Returns:
        `Errors`.

    Example:
        >>> errors = find_errors(accumulated, [point.threshold for point in operating_points(accumulated, K)])
        >>> dict(zip(ERROR_TYPES, errors.count_by_class(accumulated, K).sum(0).tolist()))
        {'localisation': 3, 'classification': 1, 'duplicate': 2, 'background': 4, 'both': 0, 'missed': 6}
    """
    detections, ground_truth = accumulated.detections, accumulated.ground_truth
    thresholds = np.asarray(thresholds, float)
    counts = (detections.scores >= thresholds[detections.classes]) & ~detections.is_ignored  # (D,)
    is_true_positive = counts & detections.is_true_positive
    # A threshold may be -inf, as is the matched score of an object without a match.
    is_unmatched = np.isneginf(ground_truth.matched_score)
    is_unmatched |= ground_truth.matched_score < thresholds[ground_truth.classes]  # (G,)
    is_false_negative = ~ground_truth.is_crowd & is_unmatched
    error_types, is_missed = np.full(len(counts), -1), is_false_negative.copy()
    wrong, real = np.flatnonzero(counts & ~is_true_positive), np.flatnonzero(~ground_truth.is_crowd)
    rows_of_image = _split_by_image(wrong, detections.images, len(accumulated.image_ids))
    objects_of_image = _split_by_image(real, ground_truth.images, len(accumulated.image_ids))
    for rows, objects in zip(rows_of_image, objects_of_image, strict=True):
        if not len(rows):
            continue
        if not len(objects):
            error_types[rows] = _BACKGROUND
            continue
        for some in np.array_split(rows, -(-len(rows) * len(objects) // _MAX_PAIRS)):
            ious = mask.iou(detections.boxes[some], ground_truth.boxes[objects], [0] * len(objects))  # (d, g)
            same_class = detections.classes[some, None] == ground_truth.classes[objects]
            error_types[some], best = _classify(ious, same_class)
            is_missed[objects[best[best >= 0]]] = False
    return Errors(is_true_positive, error_types, is_false_negative, is_missed)


def _classify(ious, same_class):
    """The error types `(d,)` of the false positives of one image.

    Also returns the object `(d,)` that each would match without its localisation or classification error, or -1.
    """
    own, other = np.where(same_class, ious, 0.0), np.where(same_class, 0.0, ious)  # (d, g)
    best_own, best_other = own.max(1), other.max(1)
    conditions = [
        (best_own >= BACKGROUND_IOU) & (best_own < FOREGROUND_IOU),
        best_other >= FOREGROUND_IOU,
        best_own >= FOREGROUND_IOU,
        ious.max(1) < BACKGROUND_IOU,
    ]
    types = np.select(conditions, [_LOCALISATION, _CLASSIFICATION, _DUPLICATE, _BACKGROUND], _BOTH)
    best = np.select(
        [types == _LOCALISATION, types == _CLASSIFICATION], [own.argmax(1), other.argmax(1)], np.full(len(types), -1)
    )
    return types, best


def _split_by_image(rows, images, num_images):
    """Groups rows by their image: a list of one int array per image."""
    rows = rows[np.argsort(images[rows], kind="stable")]
    return np.split(rows, np.searchsorted(images[rows], np.arange(1, num_images)))
