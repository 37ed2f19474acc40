"""The score from which detections are best believed, class by class."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OperatingPoint:
    """A class at one score threshold, at IoU 0.5.

    Args:
        threshold: float: detections of this score or a higher one count.
        precision: float, the share of them that is right; None where there are none.
        recall: float, the share of the objects that they find; None where there are no objects.
        f1: float, the harmonic mean of both; None where there is neither a detection nor an object.
        is_own: bool, whether the class chose the threshold; else it is that of all classes together.
    """

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    is_own: bool


def operating_points(accumulated, num_classes):
    """The threshold of the best F1 of every class.

    A class of which no detection is right has none: it takes that of all classes together, and if nothing is
    right anywhere, every detection counts, so that what is wrong with them can be told.

    Args:
        accumulated: `Accumulated`.
        num_classes: Integer, K.

    Returns:
        List of K `OperatingPoint`.

    Example:
    ```python
    points = operating_points(evaluator.accumulated(), len(evaluator.categories))
    points[0].threshold  # 0.42
    ```
    """
    detections, objects = accumulated.detections, accumulated.objects
    counted, wanted = ~detections.is_ignored, ~objects.is_crowd
    scores, is_right, classes = (
        column[counted] for column in (detections.scores, detections.is_right, detections.classes)
    )
    num_objects = np.bincount(objects.classes[wanted], minlength=num_classes)  # (K,)
    common = _best_threshold(scores, is_right, num_objects.sum())
    common = -np.inf if common is None else common
    points = []
    for class_ in range(num_classes):
        of_class = classes == class_
        own = _best_threshold(scores[of_class], is_right[of_class], num_objects[class_])
        threshold = common if own is None else own
        kept = of_class & (scores >= threshold)
        num_right, num_kept = int(is_right[kept].sum()), int(kept.sum())
        points.append(
            OperatingPoint(
                threshold=float(threshold),
                precision=_ratio(num_right, num_kept),
                recall=_ratio(num_right, int(num_objects[class_])),
                f1=_ratio(2 * num_right, num_kept + int(num_objects[class_])),
                is_own=own is not None,
            )
        )
    return points


def _best_threshold(scores, is_right, num_objects):
    """The score `(d,)` from which F1 is highest, the highest of equals; None where nothing is right."""
    if not is_right.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores, num_right = scores[order], np.cumsum(is_right[order])
    f1 = 2 * num_right / (np.arange(1, len(scores) + 1) + num_objects)
    # A threshold divides no equals: only the last of them stands for all.
    is_last = np.append(scores[1:] != scores[:-1], True)
    return scores[np.argmax(np.where(is_last, f1, -1.0))]


def _ratio(part, whole):
    return part / whole if whole else None
