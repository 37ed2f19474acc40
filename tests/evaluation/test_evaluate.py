import threading

import numpy as np
import pytest

from pix2seq_keras import Vocabulary
from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.coco.read import open_coco
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import evaluate_source
from pix2seq_keras.inference import RefusedImagesError


def test_a_perfect_detector_has_an_ap_of_one(oracle, make_source):
    result, evaluator = evaluate_source(oracle(), make_source(7), batch_size=3, progress=False)

    assert result["AP"] == result["AR100"] == 1.0
    assert (result["num_images"], result["num_objects"], result["unreadable_images"]) == (7, 14, 0)
    assert result["seconds"] >= 0
    assert len(evaluator.detections_json()) == 14


def test_images_are_detected_batch_by_batch(oracle, make_source):
    detector = oracle()

    result, _ = evaluate_source(detector, make_source(7), batch_size=3, progress=False)

    assert [numbers for numbers, _ in detector.calls] == [[0, 1, 2], [3, 4, 5], [6]]
    assert result["num_images"] == 7


def test_images_without_detections_lower_recall(oracle, make_source):
    result, _ = evaluate_source(oracle(blind=(1, 4)), make_source(6), progress=False)

    assert result["AR100"] == pytest.approx(4 / 6)
    assert result["num_images"] == 6


def test_unreadable_images_are_left_out_reported_and_counted(oracle, make_source):
    detector, source = oracle(), make_source(7, unreadable=(0, 3, 6))

    result, _ = evaluate_source(detector, source, batch_size=2, progress=False)

    assert [numbers for numbers, _ in detector.calls] == [[1, 2], [4, 5]]
    assert (result["num_images"], result["unreadable_images"], result["AP"]) == (4, 3, 1.0)
    assert source.issues.counts() == {"unreadable image": 3}


def test_a_source_without_a_readable_image_is_refused(oracle, make_source):
    with pytest.raises(InputError, match="none of the 2 images of memory val could be read"):
        evaluate_source(oracle(), make_source(2, unreadable=(0, 1)), progress=False)


def test_max_images_takes_the_first_images_and_options_are_passed_on(oracle, make_source):
    detector = oracle()

    result, _ = evaluate_source(detector, make_source(7), 2, max_images=3, progress=False, seed=5, top_p=0.4)

    assert detector.calls == [
        ([0, 1], {"batch_size": 2, "seed": 5, "top_p": 0.4}),
        ([2], {"batch_size": 2, "seed": 5, "top_p": 0.4}),
    ]
    assert result["num_images"] == 3


def test_a_real_model_gets_batches_of_the_given_size(build_tiny_model, make_source, monkeypatch):
    model, sizes = build_tiny_model(categories=make_source(1).categories), []
    detector_function = model.detector_function

    def watched(options, jit_compile):
        detector = detector_function(options, jit_compile)
        return lambda canvases, *rest: (sizes.append(len(canvases)), detector(canvases, *rest))[1]

    monkeypatch.setattr(model, "detector_function", watched)
    found = {}
    for batch_size in (12, 5):
        result, evaluator = evaluate_source(model, make_source(13), batch_size, progress=False, sampler="greedy")
        found[batch_size] = result["AP"], evaluator.detections_json()

    assert sizes == [12, 1, 5, 5, 3]  # without XLA, the last batch is not filled
    assert found[12][0] == found[5][0]
    assert len(found[12][1]) > 13
    for one, other in zip(found[12][1], found[5][1], strict=True):  # a row does not depend on its batch
        assert (one["image_id"], one["category_id"], one["bbox"]) == (
            other["image_id"],
            other["category_id"],
            other["bbox"],
        )
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def test_batch_size_and_max_images_below_one_are_refused(oracle, make_source):
    with pytest.raises(InputError, match="batch_size=0"):
        evaluate_source(oracle(), make_source(2), batch_size=0)
    with pytest.raises(InputError, match="max_images=0"):
        evaluate_source(oracle(), make_source(2), max_images=0)


def test_the_next_batch_is_read_while_the_detector_works(oracle, make_source):
    detector, source = oracle(), make_source(4)
    read_third = threading.Event()
    read, detect = source.read, detector.detect

    def watched_read(index):
        if index == 2:
            read_third.set()
        return read(index)

    def waiting_detect(images, **options):
        assert read_third.wait(timeout=10)  # times out if reading waits for the detector
        return detect(images, **options)

    source.read, detector.detect = watched_read, waiting_detect

    result, _ = evaluate_source(detector, source, batch_size=2, progress=False)

    assert result["AP"] == 1.0


def test_categories_in_another_order_or_more_of_them_are_matched_by_name(oracle, make_source):
    categories = Categories(ids=(1, 2, 3, 4), names=("extra", "c", "a", "b"))
    detector = oracle(categories, to_own_class=(2, 3, 1))

    result, evaluator = evaluate_source(detector, make_source(6), progress=False)

    assert result["AP"] == 1.0
    assert {row["category_id"] for row in evaluator.detections_json()} == {0, 5, 9}  # the source's ids


def test_detections_of_categories_the_source_does_not_label_are_dropped(oracle, make_source):
    categories = Categories(ids=(1, 2, 3, 4), names=("a", "b", "c", "extra"))
    detector = oracle(categories, to_own_class=(0, 1, 3))  # detects every c as "extra"

    result, evaluator = evaluate_source(detector, make_source(6), progress=False)

    assert result["per_class"]["c"]["AP"] == 0.0
    assert result["per_class"]["a"]["AP"] == 1.0
    assert {row["category_id"] for row in evaluator.detections_json()} == {0, 5}


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "d"), ("a", "b", "C")])
def test_different_categories_are_refused_and_both_lists_are_named(oracle, make_source, names):
    detector = oracle(Categories(ids=tuple(range(len(names))), names=names))

    with pytest.raises(InputError, match=r"'a', 'b'.*\['a', 'b', 'c'\]"):
        evaluate_source(detector, make_source(2), progress=False)

    assert detector.calls == []


def test_long_lists_of_categories_are_shortened_in_the_error(oracle, make_source):
    detector = oracle(Categories(ids=tuple(range(80)), names=tuple(f"thing {number}" for number in range(80))))

    with pytest.raises(InputError, match="… 80 in all") as error:
        evaluate_source(detector, make_source(2), progress=False)

    assert "thing 40" not in str(error.value)


def test_a_detector_without_categories_has_the_classes_of_the_source(oracle, make_source):
    result, _ = evaluate_source(oracle(categories=None), make_source(3), progress=False)

    assert result["AP"] == 1.0


def test_a_box_that_is_not_finite_is_refused_and_its_image_named(oracle, make_source):
    detector = oracle()
    detect = detector.detect

    def broken(images, **options):
        found = detect(images)
        found["boxes"][1, 0, 0] = np.nan
        return found

    detector.detect = broken

    with pytest.raises(InputError, match="image 1001"):
        evaluate_source(detector, make_source(3), progress=False)


def test_the_ground_truth_of_real_images_has_an_ap_of_one(bccd_dir):
    source = open_coco(bccd_dir, "val")
    answers = [source.read(index) for index in range(5)]
    order = [2, 0, 1]  # the detector has its classes in another order

    class Perfect:
        categories = Categories(ids=(1, 2, 3), names=tuple(source.categories.names[k] for k in order))

        def detect(self, images, batch_size):
            found = {
                "boxes": np.zeros((2, 40, 4)),
                "classes": np.full((2, 40), -1),
                "scores": np.ones((2, 40)),
            }
            for row, image in enumerate(images):
                answer = next(a for a in answers if np.array_equal(a["image"], image))
                count = len(answer["classes"])
                found["boxes"][row, :count] = answer["boxes"]
                found["classes"][row, :count] = [order.index(k) for k in answer["classes"]]
            return found

    result, _ = evaluate_source(Perfect(), source, batch_size=2, max_images=5, progress=False)

    assert result["AP"] == 1.0
    assert result["num_objects"] == sum(len(answer["classes"]) for answer in answers) > 50


def test_progress_goes_to_standard_error(oracle, make_source, capsys):
    evaluate_source(oracle(), make_source(5, unreadable=(4,)), batch_size=2)

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "evaluating memory val: 5/5" in shown.err


def test_a_detector_without_names_must_have_as_many_classes_as_the_data(oracle, make_source):
    detector = oracle()
    detector.categories, detector.vocabulary = None, Vocabulary(899, 16)

    with pytest.raises(InputError, match=r"must have as many classes as the data. Received: 899"):
        evaluate_source(detector, make_source(2), progress=False)


def test_an_image_refused_by_an_exported_model_ends_the_evaluation_with_its_id(oracle, make_source):
    detector, source = oracle(), make_source(4)
    detect, refused_id = detector.detect, source.read(2)["image_id"]

    def refusing(images, **options):
        rows = [row for row, image in enumerate(images) if image[0, 0, 0] == 2]
        if rows:
            raise RefusedImagesError(dict.fromkeys(rows, "The image is too large."))
        return detect(images, **options)

    detector.detect = refusing
    with pytest.raises(InputError, match=rf"refuses the image with id {refused_id}.\nThe image is too large"):
        evaluate_source(detector, source, batch_size=3, max_images=3, progress=False)
