"""The numbers behind an evaluation, for scenes that can be counted by eye."""

import numpy as np
import pytest

from pix2seq_keras.reports import report_evaluation

TOP, BOTTOM = (0.0, 0.0, 0.4, 0.4), (0.5, 0.0, 0.9, 0.4)  # 80×40 of 200×100 pixels: medium
DOT = (0.0, 0.8, 0.1, 0.9)  # 20×10: small


@pytest.fixture
def report(evaluated):
    """Four images: all right; one missed and one wrong; an empty one; nothing found. "c" has no objects."""
    return report_evaluation(
        *evaluated(
            [
                ([(TOP, 0), (BOTTOM, 1)], [(TOP, 0, 0.9), (BOTTOM, 1, 0.8)]),
                ([(TOP, 0), (BOTTOM, 0)], [(TOP, 0, 0.9), (DOT, 0, 0.9), (TOP, 2, 0.95)]),
                ([], []),
                ([(TOP, 1), (DOT, 1)], []),
            ]
        ),
        about={"model": "m"},
    )


def test_scores_of_the_classes_are_those_of_the_evaluation(report):
    a, b, c = report.classes

    assert [one.objects for one in report.classes] == [3, 3, 0]
    for one in report.classes:
        assert report.result["per_class"][one.name] == {"AP": one.ap, "AP50": one.ap50}
    assert (a.most_recall, b.most_recall, c.most_recall) == (pytest.approx(2 / 3), pytest.approx(1 / 3), None)
    assert (a.point.threshold, a.point.precision, a.point.recall) == pytest.approx((0.9, 2 / 3, 2 / 3))
    assert (b.point.threshold, b.point.precision, b.point.recall) == pytest.approx((0.8, 1.0, 1 / 3))
    assert (c.ap, c.ap75, c.point.is_own) == (None, None, False)


def test_the_area_below_a_curve_is_its_ap50(report):
    for one in report.classes[:2]:
        assert one.curve.mean() == pytest.approx(one.ap50, abs=1e-8)


def test_objects_are_counted_by_size_and_scored(report):
    assert [report.objects_of_size(size) for size in ("small", "medium", "large")] == [1, 5, 0]
    assert report.classes[1].ap50_by_size == {"small": 0.0, "medium": pytest.approx(51 / 101), "large": None}


def test_errors_are_counted_by_image(report):
    assert [(one.right, one.wrong, one.unfound) for one in report.images] == [
        (2, 0, 0),
        (1, 2, 1),
        (0, 0, 0),
        (0, 0, 2),
    ]
    assert report.images[1].kinds == {"classification": 1, "background": 1}
    assert report.error_counts.sum() == 2 + 3  # two wrong detections, three missed objects
    assert sum(one.errors for one in report.images) == 5


def test_the_worst_images_have_most_errors_and_the_best_most_right(report):
    assert [one.image_id for one in report.worst()] == [101, 103]
    assert [one.image_id for one in report.worst(1)] == [101]
    assert [one.image_id for one in report.best()] == [100, 102, 103, 101]
    assert [one.image_id for one in report.best(3, report.worst())] == [100, 102]


def test_equally_bad_images_come_by_image_id(evaluated):
    report = report_evaluation(*evaluated([([(TOP, 0)], [])] * 3), about={})

    assert [one.image_id for one in report.worst(2)] == [100, 101]


def test_an_object_on_the_edge_of_two_sizes_is_counted_as_pycocotools_does(evaluated):
    edge = (0.0, 0.0, 32 / 200, 32 / 100)

    report = report_evaluation(*evaluated([([(edge, 0)], [(edge, 0, 0.5)])]), about={})

    for size in ("small", "medium"):
        assert report.objects_of_size(size) == 1
        assert report.accumulated.average_precision(size=size) == 1.0


def test_crowds_are_no_objects(evaluated):
    report = report_evaluation(*evaluated([([(TOP, 0), (BOTTOM, 0, "crowd")], [(BOTTOM, 0, 0.9)])]), about={})

    assert (report.classes[0].objects, report.objects_of_size("medium")) == (1, 1)
    assert [(one.right, one.wrong, one.unfound) for one in report.images] == [(0, 0, 1)]
    assert np.array_equal(report.error_counts.sum(0), [0, 0, 0, 0, 0, 1])
