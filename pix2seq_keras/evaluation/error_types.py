"""Where a detector's errors come from: the six kinds of TIDE.

Bolya, Foley, Hays and Hoffman, "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020, section 2.
Which detections are right and which objects are found is pycocotools' matching at IoU 0.5; crowds are left out. Where
two kinds fit, the first of `ERROR_TYPES` that does is taken, in the order of TIDE's own program.
"""

from dataclasses import dataclass

import numpy as np
from pycocotools import mask

# Of a detection that is wrong; the last kind, of an object.
ERROR_TYPES = ("localisation", "classification", "duplicate", "background", "both", "missed")
_LOCALISATION, _CLASSIFICATION, _DUPLICATE, _BACKGROUND, _BOTH, _MISSED = range(6)
FOREGROUND_IOU, BACKGROUND_IOU = 0.5, 0.1


@dataclass(frozen=True)
class Errors:
    """What became of every detection and object at the thresholds of the classes.

    Args:
        is_right: bool `(D,)`, detections above the threshold of their class that found an object.
        kinds: int `(D,)`, of detections above the threshold that are wrong, a place in `ERROR_TYPES`; -1 of all others.
        is_unfound: bool `(G,)`, objects that no detection above the threshold found; no crowds.
        is_missed: bool `(G,)`, those of them that are not the object of an error of localisation or classification:
            mending these would not find them.
    """

    is_right: np.ndarray
    kinds: np.ndarray
    is_unfound: np.ndarray
    is_missed: np.ndarray

    @property
    def is_wrong(self):
        """Bool `(D,)`: detections above the threshold that are wrong."""
        return self.kinds >= 0

    def by_class(self, accumulated, num_classes):
        """How many errors of each kind every class has: int `(K, 6)`.

        Wrong detections count for the class that they name, missed objects for their own.

        Args:
            accumulated: the `Accumulated` that the errors are of.
            num_classes: Integer, K.
        """
        counts = np.zeros((num_classes, len(ERROR_TYPES)), int)
        np.add.at(counts, (accumulated.detections.classes[self.is_wrong], self.kinds[self.is_wrong]), 1)
        np.add.at(counts, (accumulated.objects.classes[self.is_missed], _MISSED), 1)
        return counts


def find_errors(accumulated, thresholds):
    """Tells of every wrong detection what is wrong with it, and which objects are missed.

    IoU is the detection's highest with any object of the kind said:

    - localisation: of its class, 0.1 ≤ IoU < 0.5;
    - classification: of another class, IoU ≥ 0.5;
    - duplicate: of its class, IoU ≥ 0.5, but a detection of a higher score found that object;
    - background: of any class, IoU < 0.1;
    - both class and place wrong: all others, that is, of another class, 0.1 ≤ IoU < 0.5;
    - missed: objects that are not found, nor the best of a localisation or classification error.

    Args:
        accumulated: `Accumulated`.
        thresholds: float `(K,)`, the score from which detections of each class count.

    Returns:
        `Errors`.

    Example:
    ```python
    errors = find_errors(accumulated, [point.threshold for point in operating_points(accumulated, K)])
    dict(zip(ERROR_TYPES, errors.by_class(accumulated, K).sum(0)))
    ```
    """
    detections, objects = accumulated.detections, accumulated.objects
    thresholds = np.asarray(thresholds, float)
    counts = (detections.scores >= thresholds[detections.classes]) & ~detections.is_ignored  # (D,)
    is_right = counts & detections.is_right
    is_unfound = ~objects.is_crowd & (objects.found_by < thresholds[objects.classes])  # (G,); -inf: nobody did
    is_unfound |= ~objects.is_crowd & np.isneginf(objects.found_by)  # also where every detection counts
    kinds, is_missed = np.full(len(counts), -1), is_unfound.copy()
    wrong, real = np.flatnonzero(counts & ~is_right), np.flatnonzero(~objects.is_crowd)
    rows_of, objects_of = (
        _by_image(wrong, detections.images, len(accumulated.image_ids)),
        _by_image(real, objects.images, len(accumulated.image_ids)),
    )
    for rows, there in zip(rows_of, objects_of, strict=True):
        if not len(rows):
            continue
        if not len(there):
            kinds[rows] = _BACKGROUND
            continue
        ious = mask.iou(detections.boxes[rows], objects.boxes[there], [0] * len(there))  # (d, g)
        kinds[rows], best = _kinds(ious, detections.classes[rows, None] == objects.classes[there])
        is_missed[there[best[best >= 0]]] = False
    return Errors(is_right, kinds, is_unfound, is_missed)


def _kinds(ious, same_class):
    """The kinds `(d,)` of one image's wrong detections, and the object each would have found without, or -1."""
    own, other = np.where(same_class, ious, 0.0), np.where(same_class, 0.0, ious)  # (d, g)
    best_own, best_other = own.max(1), other.max(1)
    is_kind = [
        (best_own >= BACKGROUND_IOU) & (best_own < FOREGROUND_IOU),
        best_other >= FOREGROUND_IOU,
        best_own >= FOREGROUND_IOU,
        ious.max(1) < BACKGROUND_IOU,
    ]
    kinds = np.select(is_kind, [_LOCALISATION, _CLASSIFICATION, _DUPLICATE, _BACKGROUND], _BOTH)
    best = np.select(
        [kinds == _LOCALISATION, kinds == _CLASSIFICATION], [own.argmax(1), other.argmax(1)], np.full(len(kinds), -1)
    )
    return kinds, best


def _by_image(rows, images, num_images):
    """Rows grouped by their image: a list of one int array an image."""
    rows = rows[np.argsort(images[rows], kind="stable")]
    return np.split(rows, np.searchsorted(images[rows], np.arange(1, num_images)))
