"""Precision, recall and matches, compared with pycocotools on all classes at once."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pix2seq_keras.categories import Categories
from pix2seq_keras.evaluation import CocoEvaluator

LEFT, EMPTY = (0.1, 0.0, 0.4, 0.3), (0.8, 0.8, 1.0, 1.0)


def add(evaluator, image_id, truth, found, is_crowd=None):
    """Adds ground truth (box, class) and detections (box, class, score) of an image of 200×100 pixels."""
    evaluator.add(
        image_id,
        (200, 100),
        {
            "boxes": np.array([row[0] for row in truth]),
            "classes": np.array([row[1] for row in truth]),
            "is_crowd": np.zeros(len(truth)) if is_crowd is None else is_crowd,
        },
        {
            "boxes": np.array([row[0] for row in found]),
            "classes": np.array([row[1] for row in found]),
            "scores": np.array([row[2] for row in found]),
        },
    )
    return evaluator


@pytest.fixture
def evaluator():
    """Three classes, the last without objects."""
    return CocoEvaluator(Categories(ids=(1, 2, 3), names=("a", "b", "c")))


@pytest.fixture
def crowded(evaluator):
    """Forty images with crowds, equal scores, wrong classes, and no objects of the third class."""
    rng = np.random.default_rng(3)
    for image_id in range(40):
        corner = rng.uniform(0, 0.7, (6, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(0.05, 0.3, (6, 2))], -1)
        classes = rng.integers(0, 2, 6)
        named = np.where(rng.random(6) < 0.8, classes, rng.integers(0, 3, 6))
        found = zip(boxes + rng.normal(0, 0.015, (6, 4)), named, np.round(rng.random(6), 1), strict=True)
        add(evaluator, image_id, list(zip(boxes, classes, strict=True)), list(found), rng.random(6) < 0.15)
    return evaluator


@pytest.fixture
def reference(crowded):
    """The evaluation by pycocotools of the same images."""
    objects = crowded.accumulate().ground_truth
    columns = (objects.images, objects.classes, objects.boxes, objects.areas, objects.is_crowd)
    names = ("id", "image_id", "category_id", "bbox", "area", "iscrowd")
    rows = zip(range(1, 999), *(column.tolist() for column in columns), strict=False)
    coco = COCO()
    coco.dataset = {
        "images": [{"id": int(image_id)} for image_id in range(40)],
        "categories": [{"id": class_} for class_ in range(3)],
        "annotations": [dict(zip(names, row, strict=True)) for row in rows],
    }
    found = [{**row, "category_id": row["category_id"] - 1} for row in crowded.detections_json()]
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def test_precision_and_recall_equal_pycocotools(crowded, reference):
    accumulated = crowded.accumulate()

    np.testing.assert_allclose(accumulated.precision, reference.eval["precision"], atol=1e-12)
    np.testing.assert_allclose(accumulated.recall, reference.eval["recall"], atol=1e-12)
    assert (accumulated.precision[:, :, 2] == -1).all()
    assert accumulated.average_precision() == crowded.result()["AP"]
    assert accumulated.average_precision(iou=0.5, class_=1) == crowded.result()["per_class"]["b"]["AP50"]
    assert accumulated.average_recall(max_detections=1) == crowded.result()["AR1"]
    assert accumulated.average_precision(iou=0.5, class_=2) is None


def test_matches_and_ignored_detections_equal_pycocotools(crowded, reference):
    accumulated = crowded.accumulate()
    of_all_sizes = [one for one in reference.evalImgs if one is not None and one["aRng"] == [0, 1e10]]
    true_positives = sum(int(((one["dtMatches"][0] > 0) & ~one["dtIgnore"][0]).sum()) for one in of_all_sizes)
    ignored = sum(int(one["dtIgnore"][0].sum()) for one in of_all_sizes)
    found = sum(int((one["gtMatches"][0][np.asarray(one["gtIgnore"]) == 0] > 0).sum()) for one in of_all_sizes)

    assert accumulated.detections.is_true_positive.sum() == true_positives > 50
    assert accumulated.detections.is_ignored.sum() == ignored > 5
    assert np.isfinite(accumulated.ground_truth.matched_score).sum() == found == true_positives
    assert not np.isfinite(accumulated.ground_truth.matched_score[accumulated.ground_truth.is_crowd]).any()


def test_the_matched_score_is_the_score_of_the_matching_detection(evaluator):
    add(evaluator, 1, [(LEFT, 0), (LEFT, 1)], [(LEFT, 0, 0.25), (LEFT, 0, 0.75)])

    assert evaluator.accumulate().ground_truth.matched_score.tolist() == [0.75, -np.inf]


def test_pycocotools_runs_once_until_something_is_add(evaluator, monkeypatch):
    runs = []
    evaluate = COCOeval.evaluate
    monkeypatch.setattr(COCOeval, "evaluate", lambda self: (runs.append(1), evaluate(self)))
    add(evaluator, 1, [(LEFT, 0)], [(LEFT, 0, 0.5)])

    assert evaluator.result()["AP"] == evaluator.accumulate().average_precision() == 1.0
    assert len(runs) == 1

    add(evaluator, 2, [(LEFT, 0)], [])
    assert evaluator.result()["AR100"] == 0.5
    assert len(runs) == 2


@pytest.mark.parametrize("class_", [0, 2])
def test_the_hundred_best_detections_per_class_and_image_are_evaluated(evaluator, class_):
    found = [(EMPTY, class_, score / 200) for score in range(120)]

    add(evaluator, 1, [(LEFT, 0)], found)

    scores = evaluator.accumulate().detections.scores
    assert sorted(scores) == [score / 200 for score in range(20, 120)]


def test_there_are_no_rows_if_nothing_was_added(evaluator):
    accumulated = evaluator.accumulate()

    assert accumulated.average_precision() is None
    assert (
        len(accumulated.image_ids)
        == len(accumulated.detections.scores)
        == (~accumulated.ground_truth.is_crowd).sum()
        == 0
    )
