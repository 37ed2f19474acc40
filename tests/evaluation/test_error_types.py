"""The error types of small scenes with known errors. All images have 100×100 pixels."""

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.evaluation import CocoEvaluator, error_types
from pix2seq_keras.evaluation.error_types import ERROR_TYPES, find_errors
from pix2seq_keras.evaluation.operating_points import operating_points

A, B, C = range(3)
LEFT, RIGHT = (0.0, 0.0, 0.4, 0.4), (0.0, 0.5, 0.4, 0.9)
NEAR_LEFT = (0.0, 0.0, 0.4, 0.36)  # IoU 0.9 with LEFT
OFF_LEFT = (0.0, 0.2, 0.4, 0.6)  # IoU 1/3 with LEFT, 0.1429 with RIGHT
EMPTY = (0.8, 0.8, 1.0, 1.0)


@pytest.fixture
def scene():
    """A function from images, each lists of (box, class[, crowd]) and (box, class, score), to (accumulated, errors)."""

    def build(*images, thresholds=None):
        evaluator = CocoEvaluator(Categories.from_names(("a", "b", "c")))
        for image_id, (truth, found) in enumerate(images):
            evaluator.add(
                image_id,
                (100, 100),
                {
                    "boxes": np.array([row[0] for row in truth]),
                    "classes": np.array([row[1] for row in truth]),
                    "is_crowd": np.array([len(row) > 2 for row in truth]),
                },
                {
                    "boxes": np.array([row[0] for row in found]),
                    "classes": np.array([row[1] for row in found]),
                    "scores": np.array([row[2] for row in found]),
                },
            )
        accumulated = evaluator.accumulate()
        if thresholds is None:
            thresholds = [point.threshold for point in operating_points(accumulated, 3)]
        return accumulated, find_errors(accumulated, thresholds)

    return build


def count_types(accumulated, errors):
    """The number of errors by type, without zeros."""
    counts = errors.count_by_class(accumulated, 3).sum(0).tolist()
    return {error_type: count for error_type, count in zip(ERROR_TYPES, counts, strict=True) if count}


def test_a_perfect_detector_has_no_errors(scene):
    accumulated, errors = scene(
        ([(LEFT, A), (RIGHT, B)], [(LEFT, A, 0.9), (RIGHT, B, 0.3)]), ([(LEFT, C)], [(LEFT, C, 0.5)])
    )

    assert count_types(accumulated, errors) == {}
    assert errors.is_true_positive.sum() == 3 and not errors.is_false_negative.any()


def test_without_detections_every_object_is_missed(scene):
    accumulated, errors = scene(([(LEFT, A), (RIGHT, B)], []), ([(LEFT, A)], []), ([], []))

    assert count_types(accumulated, errors) == {"missed": 3}
    assert errors.count_by_class(accumulated, 3)[:, ERROR_TYPES.index("missed")].tolist() == [2, 1, 0]


def test_a_second_box_on_a_matched_object_is_a_duplicate(scene):
    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (NEAR_LEFT, A, 0.8)]), thresholds=[0.5] * 3)

    assert count_types(accumulated, errors) == {"duplicate": 1}
    assert errors.is_true_positive.sum() == 1


def test_a_correct_box_of_a_wrong_class_is_a_classification_error_and_its_object_not_missed(scene):
    accumulated, errors = scene(([(LEFT, A)], [(NEAR_LEFT, B, 0.9)]))

    assert count_types(accumulated, errors) == {"classification": 1}
    assert errors.count_by_class(accumulated, 3)[B].sum() == 1  # counts for the class of the detection
    assert errors.is_false_negative.tolist() == [True] and errors.is_missed.tolist() == [False]


def test_a_shifted_box_is_a_localisation_error_and_its_object_not_missed(scene):
    accumulated, errors = scene(([(LEFT, A)], [(OFF_LEFT, A, 0.9)]))

    assert count_types(accumulated, errors) == {"localisation": 1}
    assert errors.is_false_negative.tolist() == [True] and errors.is_missed.tolist() == [False]


def test_a_shifted_box_of_a_wrong_class_is_both_and_its_object_missed(scene):
    accumulated, errors = scene(([(LEFT, A)], [(OFF_LEFT, B, 0.9)]))

    assert count_types(accumulated, errors) == {"both": 1, "missed": 1}


def test_a_box_away_from_all_objects_is_background_also_on_an_image_without_objects(scene):
    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (EMPTY, A, 0.9)]), ([], [(LEFT, A, 0.9)]))

    assert count_types(accumulated, errors) == {"background": 2}


def test_a_box_of_iou_below_a_tenth_is_background(scene):
    touching = (0.0, 0.35, 0.4, 0.75)  # IoU 0.05 / 0.75 = 0.067

    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (touching, A, 0.9)]))

    assert count_types(accumulated, errors) == {"background": 1}


def test_the_first_of_two_types_that_apply_is_used(scene):
    # 1/3 with an object of its class, 0.9 with one of another: localisation goes before classification, as in TIDE.
    near_off = (0.0, 0.2, 0.4, 0.56)

    accumulated, errors = scene(([(LEFT, A), (OFF_LEFT, B)], [(near_off, A, 0.9)]))

    assert count_types(accumulated, errors) == {"localisation": 1, "missed": 1}


def test_crowds_and_detections_on_them_are_left_out(scene):
    crowd = (RIGHT, A, "crowd")

    accumulated, errors = scene(([(LEFT, A), crowd], [(LEFT, A, 0.9), (RIGHT, A, 0.95), (RIGHT, A, 0.8)]))

    assert count_types(accumulated, errors) == {}
    assert (errors.is_true_positive.sum(), errors.is_false_negative.sum()) == (1, 0)


def test_detections_below_the_threshold_of_their_class_are_ignored(scene):
    image = [(LEFT, A), (RIGHT, B)], [(LEFT, A, 0.4), (EMPTY, A, 0.3), (RIGHT, B, 0.4)]

    accumulated, errors = scene(image, thresholds=[0.5, 0.4, 0.5])

    assert count_types(accumulated, errors) == {"missed": 1}
    assert accumulated.ground_truth.classes[errors.is_missed].tolist() == [A]
    assert errors.is_true_positive.sum() == 1


def test_false_positives_of_a_class_without_objects_are_counted(scene):
    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (EMPTY, C, 0.95), (RIGHT, C, 0.2)]))

    assert count_types(accumulated, errors) == {"background": 1}  # the other is below the common threshold of 0.9
    assert errors.count_by_class(accumulated, 3)[C].sum() == 1


def test_true_positives_and_false_negatives_agree_with_coco_on_random_scenes(scene):
    rng = np.random.default_rng(0)
    images = []
    for _ in range(30):
        corner = rng.uniform(0, 0.6, (5, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(0.1, 0.4, (5, 2))], -1)
        moved = np.concatenate([boxes, boxes[:2]]) + rng.normal(0, 0.03, (7, 4))
        classes = rng.integers(0, 3, 5)
        named = np.where(rng.random(7) < 0.8, np.append(classes, classes[:2]), rng.integers(0, 3, 7))
        scores = np.round(rng.random(7), 1)
        images.append((list(zip(boxes, classes, strict=True)), list(zip(moved, named, scores, strict=True))))

    accumulated, errors = scene(*images, thresholds=[-np.inf] * 3)

    matched_classes = accumulated.detections.classes[errors.is_true_positive]
    for class_ in range(3):
        recall = (matched_classes == class_).sum() / (accumulated.ground_truth.classes == class_).sum()
        assert recall == pytest.approx(accumulated.average_recall(iou=0.5, class_=class_))
    assert errors.is_true_positive.sum() + errors.is_false_negative.sum() == len(errors.is_false_negative) == 150
    assert errors.is_true_positive.sum() + errors.is_false_positive.sum() == len(errors.is_true_positive) == 210
    assert len(count_types(accumulated, errors)) == 6


def test_errors_are_found_in_parts_where_an_image_has_many_objects(scene, monkeypatch):
    rng = np.random.default_rng(0)
    boxes = lambda count: np.sort(rng.uniform(0, 1, (count, 2, 2)), 1).reshape(count, 4)
    truth = [(tuple(box), int(rng.integers(3))) for box in boxes(40)]
    found = [(tuple(box), int(rng.integers(3)), float(rng.uniform())) for box in boxes(60)]
    _, whole = scene((truth, found), ([(LEFT, A)], [(RIGHT, A, 0.5)]), thresholds=[0.0] * 3)
    monkeypatch.setattr(error_types, "_MAX_PAIRS", 100)

    _, parts = scene((truth, found), ([(LEFT, A)], [(RIGHT, A, 0.5)]), thresholds=[0.0] * 3)

    assert len(set(whole.error_types.tolist())) > 3
    for name, values in vars(whole).items():
        np.testing.assert_array_equal(getattr(parts, name), values)
