"""Small scenes whose errors can be counted by eye. All images are of 100×100 pixels."""

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.evaluation import CocoEvaluator
from pix2seq_keras.evaluation.error_types import ERROR_TYPES, find_errors
from pix2seq_keras.evaluation.operating_points import operating_points

A, B, C = range(3)
LEFT, RIGHT = (0.0, 0.0, 0.4, 0.4), (0.0, 0.5, 0.4, 0.9)
NEAR_LEFT = (0.0, 0.0, 0.4, 0.36)  # IoU 0.9 with LEFT
OFF_LEFT = (0.0, 0.2, 0.4, 0.6)  # IoU 1/3 with LEFT, 0.1429 with RIGHT
NOWHERE = (0.8, 0.8, 1.0, 1.0)


@pytest.fixture
def scene():
    """A function of images, each lists of (box, class[, crowd]) and (box, class, score) -> what became of them."""

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
        accumulated = evaluator.accumulated()
        if thresholds is None:
            thresholds = [point.threshold for point in operating_points(accumulated, 3)]
        return accumulated, find_errors(accumulated, thresholds)

    return build


def kinds_of(accumulated, errors):
    """All errors by kind, without zeros."""
    counts = errors.by_class(accumulated, 3).sum(0).tolist()
    return {kind: count for kind, count in zip(ERROR_TYPES, counts, strict=True) if count}


def test_a_perfect_detector_makes_no_error(scene):
    accumulated, errors = scene(
        ([(LEFT, A), (RIGHT, B)], [(LEFT, A, 0.9), (RIGHT, B, 0.3)]), ([(LEFT, C)], [(LEFT, C, 0.5)])
    )

    assert kinds_of(accumulated, errors) == {}
    assert errors.is_right.sum() == 3 and not errors.is_unfound.any()


def test_without_detections_every_object_is_missed(scene):
    accumulated, errors = scene(([(LEFT, A), (RIGHT, B)], []), ([(LEFT, A)], []), ([], []))

    assert kinds_of(accumulated, errors) == {"missed": 3}
    assert errors.by_class(accumulated, 3)[:, ERROR_TYPES.index("missed")].tolist() == [2, 1, 0]


def test_a_second_box_on_a_found_object_is_a_duplicate(scene):
    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (NEAR_LEFT, A, 0.8)]), thresholds=[0.5] * 3)

    assert kinds_of(accumulated, errors) == {"duplicate": 1}
    assert errors.is_right.sum() == 1


def test_the_right_box_under_a_wrong_name_is_a_classification_error_and_its_object_not_missed_too(scene):
    accumulated, errors = scene(([(LEFT, A)], [(NEAR_LEFT, B, 0.9)]))

    assert kinds_of(accumulated, errors) == {"classification": 1}
    assert errors.by_class(accumulated, 3)[B].sum() == 1  # of the class that was named
    assert errors.is_unfound.tolist() == [True] and errors.is_missed.tolist() == [False]


def test_a_shifted_box_is_a_localisation_error_and_its_object_not_missed_too(scene):
    accumulated, errors = scene(([(LEFT, A)], [(OFF_LEFT, A, 0.9)]))

    assert kinds_of(accumulated, errors) == {"localisation": 1}
    assert errors.is_unfound.tolist() == [True] and errors.is_missed.tolist() == [False]


def test_a_shifted_box_under_a_wrong_name_is_both_and_its_object_missed(scene):
    accumulated, errors = scene(([(LEFT, A)], [(OFF_LEFT, B, 0.9)]))

    assert kinds_of(accumulated, errors) == {"both": 1, "missed": 1}


def test_a_box_on_nothing_is_background_also_on_a_image_without_objects(scene):
    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (NOWHERE, A, 0.9)]), ([], [(LEFT, A, 0.9)]))

    assert kinds_of(accumulated, errors) == {"background": 2}


def test_touching_an_object_by_less_than_a_tenth_is_background(scene):
    touching = (0.0, 0.35, 0.4, 0.75)  # IoU 0.05 / 0.75 = 0.067

    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (touching, A, 0.9)]))

    assert kinds_of(accumulated, errors) == {"background": 1}


def test_where_two_kinds_fit_the_first_is_taken(scene):
    # 1/3 with an object of its class, 0.9 with one of another: localisation goes before classification, as in TIDE.
    near_off = (0.0, 0.2, 0.4, 0.56)

    accumulated, errors = scene(([(LEFT, A), (OFF_LEFT, B)], [(near_off, A, 0.9)]))

    assert kinds_of(accumulated, errors) == {"localisation": 1, "missed": 1}


def test_crowds_and_what_lies_on_them_are_left_out(scene):
    crowd = (RIGHT, A, "crowd")

    accumulated, errors = scene(([(LEFT, A), crowd], [(LEFT, A, 0.9), (RIGHT, A, 0.95), (RIGHT, A, 0.8)]))

    assert kinds_of(accumulated, errors) == {}
    assert (errors.is_right.sum(), errors.is_unfound.sum()) == (1, 0)


def test_detections_below_the_threshold_of_their_class_neither_find_nor_err(scene):
    image = [(LEFT, A), (RIGHT, B)], [(LEFT, A, 0.4), (NOWHERE, A, 0.3), (RIGHT, B, 0.4)]

    accumulated, errors = scene(image, thresholds=[0.5, 0.4, 0.5])

    assert kinds_of(accumulated, errors) == {"missed": 1}
    assert accumulated.objects.classes[errors.is_missed].tolist() == [A]
    assert errors.is_right.sum() == 1


def test_a_class_without_objects_has_its_wrong_detections_counted(scene):
    accumulated, errors = scene(([(LEFT, A)], [(LEFT, A, 0.9), (NOWHERE, C, 0.95), (RIGHT, C, 0.2)]))

    assert kinds_of(accumulated, errors) == {"background": 1}  # the other is below the common threshold of 0.9
    assert errors.by_class(accumulated, 3)[C].sum() == 1


def test_right_and_found_agree_with_coco_on_random_scenes(scene):
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

    right = accumulated.detections.classes[errors.is_right]
    for class_ in range(3):
        recall = (right == class_).sum() / (accumulated.objects.classes == class_).sum()
        assert recall == pytest.approx(accumulated.average_recall(iou=0.5, class_=class_))
    assert errors.is_right.sum() + errors.is_unfound.sum() == len(errors.is_unfound) == 150
    assert errors.is_right.sum() + errors.is_wrong.sum() == len(errors.is_right) == 210
    assert len(kinds_of(accumulated, errors)) == 6
