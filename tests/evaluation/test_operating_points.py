"""Operating points of scenes whose thresholds are known."""

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.evaluation import CocoEvaluator
from pix2seq_keras.evaluation.operating_points import operating_points

BOXES = [(0.0, left, 0.1, left + 0.08) for left in (0.0, 0.1, 0.2, 0.3)]
EMPTY = (0.8, 0.8, 1.0, 1.0)


@pytest.fixture
def points():
    """A function from (boxes of objects, detections as (box, score)) of each class to the operating points."""

    def run(*classes):
        evaluator = CocoEvaluator(Categories.from_names(f"class {number}" for number in range(len(classes))))
        truth = [(box, class_) for class_, (boxes, _) in enumerate(classes) for box in boxes]
        found = [(box, class_, score) for class_, (_, rows) in enumerate(classes) for box, score in rows]
        columns = lambda rows, names: {name: np.array([r[at] for r in rows]) for at, name in enumerate(names)}
        evaluator.add(
            1, (100, 100), columns(truth, ("boxes", "classes")), columns(found, ("boxes", "classes", "scores"))
        )
        return operating_points(evaluator.accumulate(), len(classes))

    return run


def test_the_threshold_is_the_score_of_the_best_f1(points):
    # Two of three objects at 0.6 or above with one error: F1 = 2·2 / (3 + 3); the third costs three more errors.
    found = [(BOXES[0], 0.9), (EMPTY, 0.7), (BOXES[1], 0.6), *[(EMPTY, 0.5)] * 3, (BOXES[2], 0.4)]

    (point,) = points((BOXES[:3], found))

    assert (point.threshold, point.has_own_threshold) == (0.6, True)
    assert (point.precision, point.recall, point.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_a_threshold_includes_all_detections_of_equal_score(points):
    found = [(BOXES[0], 0.9), (BOXES[1], 0.5), *[(EMPTY, 0.5)] * 5]

    (point,) = points((BOXES[:2], found))

    assert point.threshold == 0.9  # 0.5 adds the second object and five false positives
    assert (point.precision, point.recall) == (1.0, 0.5)


def test_a_class_without_true_positives_gets_the_threshold_of_all_classes(points):
    good, bad = points((BOXES[:2], [(BOXES[0], 0.8), (BOXES[1], 0.6)]), ([BOXES[2]], [(EMPTY, 0.7), (EMPTY, 0.1)]))

    assert (good.threshold, good.f1) == (0.6, 1.0)
    assert (bad.threshold, bad.has_own_threshold) == (0.6, False)
    assert (bad.precision, bad.recall, bad.f1) == (0.0, 0.0, 0.0)


def test_all_detections_count_if_none_is_a_true_positive(points):
    (point,) = points((BOXES[:1], [(EMPTY, 0.1)]))

    assert (point.threshold, point.has_own_threshold, point.precision) == (-np.inf, False, 0.0)


def test_precision_and_recall_are_none_without_detections_or_objects(points):
    with_objects, with_neither = points((BOXES[:1], []), ([], []))

    assert (with_objects.precision, with_objects.recall, with_objects.f1) == (None, 0.0, 0.0)
    assert (with_neither.precision, with_neither.recall, with_neither.f1) == (None, None, None)
