"""The score threshold with the best F1 of each class."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OperatingPoint:
    """Precision and recall of a class at one score threshold, at IoU 0.5.

    Args:
        threshold: float, minimum score of the detections that count.
        precision: float, share of these detections that are true positives; `None` if there are none.
        recall: float, share of the objects that they match; `None` if there are no objects.
        f1: float, harmonic mean of both; `None` if there are no detections and no objects.
        has_own_threshold: bool, whether the threshold is the best for this class; otherwise it is the best for all
            classes together.
    """

    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    has_own_threshold: bool


def operating_points(accumulated, num_classes):
    """Finds the threshold with the best F1 of every class.

    A class without a true positive has no such threshold. It gets the best threshold of all classes together. If no
    class has a true positive, the threshold is -inf: all detections count, so that their errors can be classified.

    Args:
        accumulated: `Accumulated`.
        num_classes: int, K.

    Returns:
        List of K `OperatingPoint`.

    Example:
        >>> points = operating_points(evaluator.accumulate(), len(evaluator.categories))
        >>> points[0].threshold
        0.42
    """
    detections, ground_truth = accumulated.detections, accumulated.ground_truth
    counted = ~detections.is_ignored
    scores, is_true_positive, classes = (
        column[counted] for column in (detections.scores, detections.is_true_positive, detections.classes)
    )
    num_objects = np.bincount(ground_truth.classes[~ground_truth.is_crowd], minlength=num_classes)  # (K,)
    common = _best_threshold(scores, is_true_positive, num_objects.sum())
    common = -np.inf if common is None else common
    points = []
    for class_ in range(num_classes):
        of_class = classes == class_
        own = _best_threshold(scores[of_class], is_true_positive[of_class], num_objects[class_])
        threshold = common if own is None else own
        kept = of_class & (scores >= threshold)
        num_correct, num_kept = int(is_true_positive[kept].sum()), int(kept.sum())
        points.append(
            OperatingPoint(
                threshold=float(threshold),
                precision=_ratio(num_correct, num_kept),
                recall=_ratio(num_correct, int(num_objects[class_])),
                f1=_ratio(2 * num_correct, num_kept + int(num_objects[class_])),
                has_own_threshold=own is not None,
            )
        )
    return points


def _best_threshold(scores, is_true_positive, num_objects):
    """The score with the best F1, the highest of equals; `None` without a true positive."""
    if not is_true_positive.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores, num_correct = scores[order], np.cumsum(is_true_positive[order])
    f1 = 2 * num_correct / (np.arange(1, len(scores) + 1) + num_objects)
    # A threshold includes all detections of equal score, so only the last of them is a candidate.
    is_last = np.append(scores[1:] != scores[:-1], True)
    return scores[np.argmax(np.where(is_last, f1, -1.0))]


def _ratio(part, whole):
    return part / whole if whole else None
