"""Detector and data with different classes."""

import pytest

from pix2seq_keras import evaluate
from pix2seq_keras.categories import Categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import evaluate_source


def test_a_class_that_no_object_has_need_not_be_known(oracle, make_source):
    source = make_source(6, categories=Categories(ids=(0, 5, 9, 11), names=("a", "b", "c", "unused")))

    result, _ = evaluate_source(oracle(), source, progress=False)

    assert result["AP"] == 1.0 and result["per_class"]["unused"]["AP"] is None


def test_only_the_images_that_are_evaluated_count(oracle, make_source):
    detector = oracle(Categories(ids=(1, 2), names=("a", "b")), to_own_class=(0, 1, 1))

    result, _ = evaluate_source(detector, make_source(6), max_images=1, progress=False)  # it has an a and a b

    assert result["AP"] == 1.0
    with pytest.raises(InputError, match=r"objects of \['c'\] that the detector does not know. Use --classes common"):
        evaluate_source(detector, make_source(6), max_images=2, progress=False)


def test_common_classes_are_scored_alone(oracle, make_source):
    detector = oracle(Categories(ids=(1, 2, 3), names=("extra", "b", "a")), to_own_class=(2, 1, 0))

    result, evaluator = evaluate_source(detector, make_source(6), progress=False, classes="common")

    assert result["AP"] == 1.0 and list(result["per_class"]) == ["a", "b"]
    assert (result["num_images"], result["num_objects"]) == (6, 8)
    assert {row["category_id"] for row in evaluator.detections_json()} == {0, 5}  # the source's ids
    assert evaluate(detector, make_source(6), classes="common", progress=False)["AP"] == 1.0


@pytest.mark.parametrize(
    ("categories", "classes", "words"),
    [
        (Categories((1,), ("z",)), "common", "must have a common class"),
        (None, "common", "must be 'all' for a detector without category names"),
        (Categories((1,), ("z",)), "some", "must be 'all' or 'common'. Received: classes='some'"),
    ],
)
def test_other_choices_are_refused(oracle, make_source, categories, classes, words):
    with pytest.raises(InputError, match=words):
        evaluate_source(oracle(categories), make_source(2), progress=False, classes=classes)
