"""The numbers of the report on an evaluation, for small scenes with known errors."""

import numpy as np
import pytest

from pix2seq_keras.reports import build_evaluation_report

TOP, BOTTOM = (0.0, 0.0, 0.4, 0.4), (0.5, 0.0, 0.9, 0.4)  # 80×40 of 200×100 pixels: medium
DOT = (0.0, 0.8, 0.1, 0.9)  # 20×10: small


@pytest.fixture
def report(evaluated):
    """Four images: perfect; two errors and a missed object; empty; no detections. Class "c" has no objects."""
    return build_evaluation_report(
        *evaluated(
            [
                ([(TOP, 0), (BOTTOM, 1)], [(TOP, 0, 0.9), (BOTTOM, 1, 0.8)]),
                ([(TOP, 0), (BOTTOM, 0)], [(TOP, 0, 0.9), (DOT, 0, 0.9), (TOP, 2, 0.95)]),
                ([], []),
                ([(TOP, 1), (DOT, 1)], []),
            ]
        ),
        details={"model": "m"},
    )


def test_scores_of_the_classes_equal_those_of_the_evaluation(report):
    a, b, c = report.classes

    assert [one.num_objects for one in report.classes] == [3, 3, 0]
    for one in report.classes:
        assert report.result["per_class"][one.name] == {"AP": one.ap, "AP50": one.ap50}
    assert (a.max_recall, b.max_recall, c.max_recall) == (pytest.approx(2 / 3), pytest.approx(1 / 3), None)
    assert (a.point.threshold, a.point.precision, a.point.recall) == pytest.approx((0.9, 2 / 3, 2 / 3))
    assert (b.point.threshold, b.point.precision, b.point.recall) == pytest.approx((0.8, 1.0, 1 / 3))
    assert (c.ap, c.ap75, c.point.has_own_threshold) == (None, None, False)


def test_the_area_under_a_curve_is_its_ap50(report):
    for one in report.classes[:2]:
        assert one.curve.mean() == pytest.approx(one.ap50, abs=1e-8)


def test_objects_are_counted_by_size_and_scored(report):
    assert [report.num_objects_of_size(size) for size in ("small", "medium", "large")] == [1, 5, 0]
    assert report.classes[1].ap50_by_size == {"small": 0.0, "medium": pytest.approx(51 / 101), "large": None}


def test_errors_are_counted_by_image(report):
    assert [(one.true_positives, one.false_positives, one.false_negatives) for one in report.images] == [
        (2, 0, 0),
        (1, 2, 1),
        (0, 0, 0),
        (0, 0, 2),
    ]
    assert report.images[1].error_types == {"classification": 1, "background": 1}
    assert report.error_counts.sum() == 2 + 3  # two false positives, three missed objects
    assert sum(one.num_errors for one in report.images) == 5


def test_images_are_sorted_by_their_errors_and_true_positives(report):
    assert [one.image_id for one in report.images_with_most_errors()] == [101, 103]
    assert [one.image_id for one in report.images_with_most_errors(1)] == [101]
    assert [one.image_id for one in report.images_with_fewest_errors()] == [100, 102, 103, 101]
    assert [one.image_id for one in report.images_with_fewest_errors(3, report.images_with_most_errors())] == [100, 102]


def test_images_with_equally_many_errors_are_sorted_by_image_id(evaluated):
    report = build_evaluation_report(*evaluated([([(TOP, 0)], [])] * 3), details={})

    assert [one.image_id for one in report.images_with_most_errors(2)] == [100, 101]


def test_an_object_at_the_limit_of_two_sizes_counts_for_both_as_in_pycocotools(evaluated):
    edge = (0.0, 0.0, 32 / 200, 32 / 100)

    report = build_evaluation_report(*evaluated([([(edge, 0)], [(edge, 0, 0.5)])]), details={})

    for size in ("small", "medium"):
        assert report.num_objects_of_size(size) == 1
        assert report.accumulated.average_precision(size=size) == 1.0


def test_crowds_are_not_counted_as_objects(evaluated):
    report = build_evaluation_report(*evaluated([([(TOP, 0), (BOTTOM, 0, "crowd")], [(BOTTOM, 0, 0.9)])]), details={})

    assert (report.classes[0].num_objects, report.num_objects_of_size("medium")) == (1, 1)
    assert [(one.true_positives, one.false_positives, one.false_negatives) for one in report.images] == [(0, 0, 1)]
    assert np.array_equal(report.error_counts.sum(0), [0, 0, 0, 0, 0, 1])
