import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pix2seq_keras.categories import Categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import CocoEvaluator

SIZE = (200, 100)  # height, width
KEYS = {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"}
LEFT, RIGHT = [0.1, 0.0, 0.4, 0.3], [0.5, 0.6, 0.9, 1.0]
NOTHING = {"boxes": np.zeros((0, 4)), "classes": np.zeros(0, int), "scores": np.zeros(0)}


def objects(boxes, classes, scores=None, **more):
    found = {"boxes": np.array(boxes, np.float32).reshape(-1, 4), "classes": np.array(classes, np.int32)}
    if scores is not None:
        found["scores"] = np.array(scores, np.float32)
    return found | {name: np.array(value) for name, value in more.items()}


def random_boxes(rng, count):
    corner = rng.uniform(0, 0.7, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(0.03, 0.3, (count, 2))], axis=-1)


def evaluator_of(num_classes=3, first_id=0):
    ids = tuple(range(first_id, first_id + num_classes))
    return CocoEvaluator(Categories(ids=ids, names=tuple(f"name {number}" for number in ids)))


@pytest.mark.parametrize("first_id", [0, 1, 90])
def test_perfect_detections_have_an_ap_of_one_for_every_class(first_id):
    evaluator = evaluator_of(3, first_id)
    rng = np.random.default_rng(0)
    for image_id in range(5):  # image id 0 included
        boxes, classes = random_boxes(rng, 6), np.arange(6) % 3
        evaluator.add(image_id, SIZE, objects(boxes, classes), objects(boxes, classes, rng.uniform(0.1, 1, 6)))

    result = evaluator.result()

    assert result["AP"] == result["AP50"] == result["AP75"] == result["AR100"] == 1.0
    for name in evaluator.categories.names:
        assert result["per_class"][name] == {"AP": 1.0, "AP50": 1.0}
    assert (result["num_images"], result["num_objects"]) == (5, 30)


def test_a_perfect_detection_of_class_zero_and_dataset_id_zero_has_an_ap_of_one():
    evaluator = evaluator_of(1)

    evaluator.add(0, SIZE, objects([LEFT], [0]), objects([LEFT], [0], [0.5]))

    assert evaluator.result()["AP"] == pytest.approx(1.0)


def test_ap_equals_a_value_computed_by_hand():
    # Two objects; by score a true positive, a false positive, a true positive. Precision is 1 up to recall 0.5 (51 of
    # COCO's 101 recall points, 0.00 to 0.50), then 2/3 (the other 50).
    evaluator = evaluator_of(1)
    found = objects([LEFT, [0.0, 0.4, 0.1, 0.5], RIGHT], [0, 0, 0], [0.9, 0.8, 0.7])

    evaluator.add(1, SIZE, objects([LEFT, RIGHT], [0, 0]), found)

    result = evaluator.result()
    assert result["AP"] == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)
    assert result["AR1"] == pytest.approx(0.5)
    assert result["AR10"] == pytest.approx(1.0)


def test_a_box_of_iou_0_62_counts_for_three_of_the_ten_thresholds():
    evaluator = evaluator_of(1)
    evaluator.add(1, SIZE, objects([[0, 0, 1, 1]], [0]), objects([[0, 0, 0.62, 1]], [0], [0.9]))

    result = evaluator.result()

    assert result["AP"] == pytest.approx(0.3)
    assert (result["AP50"], result["AP75"]) == (pytest.approx(1.0), pytest.approx(0.0))


def test_images_without_detections_lower_recall():
    evaluator = evaluator_of(1)
    for image_id in range(4):
        found = objects([LEFT], [0], [0.9]) if image_id == 0 else NOTHING
        evaluator.add(image_id, SIZE, objects([LEFT], [0]), found)

    result = evaluator.result()

    assert result["AR100"] == pytest.approx(0.25)
    assert result["AP"] == pytest.approx(26 / 101)  # recall points 0.00 to 0.25
    assert result["num_images"] == 4


def test_detections_on_an_image_without_objects_are_false_positives():
    without, with_detection = evaluator_of(1), evaluator_of(1)
    for evaluator in (without, with_detection):
        evaluator.add(1, SIZE, objects([LEFT], [0]), objects([LEFT], [0], [0.5]))
    without.add(2, SIZE, objects([], []), NOTHING)
    with_detection.add(2, SIZE, objects([], []), objects([RIGHT], [0], [0.9]))

    assert without.result()["AP"] == pytest.approx(1.0)
    assert with_detection.result()["AP"] == pytest.approx(0.5)


def test_crowds_are_not_missed_and_detections_on_them_are_not_false_positives():
    evaluator = evaluator_of(1)
    truth = objects([LEFT, RIGHT], [0, 0], is_crowd=[False, True])
    found = objects([LEFT, RIGHT, RIGHT], [0, 0, 0], [0.5, 0.9, 0.8])

    evaluator.add(1, SIZE, truth, found)

    result = evaluator.result()
    assert result["AP"] == result["AR100"] == 1.0
    assert result["num_objects"] == 1


def test_the_areas_of_the_annotations_give_the_object_sizes():
    evaluator = evaluator_of(1)
    evaluator.add(1, SIZE, objects([LEFT], [0], area=[20_000.0]), objects([LEFT], [0], [0.5]))

    result = evaluator.result()

    assert result["APl"] == pytest.approx(1.0)
    assert result["APs"] is None and result["APm"] is None


def test_scores_without_objects_are_none_and_can_be_serialised():
    evaluator = evaluator_of(2)
    evaluator.add(1, SIZE, objects([LEFT], [0]), objects([LEFT], [0], [0.5]))

    result = json.loads(json.dumps(evaluator.result(), allow_nan=False))

    assert result["APl"] is None and result["ARl"] is None
    assert result["per_class"] == {"name 0": {"AP": 1.0, "AP50": 1.0}, "name 1": {"AP": None, "AP50": None}}
    assert set(result) == KEYS | {"per_class", "num_images", "num_objects"}


def test_all_scores_are_none_if_nothing_was_added():
    result = evaluator_of(2).result()

    assert all(result[key] is None for key in KEYS)
    assert (result["num_images"], result["num_objects"]) == (0, 0)


def test_padded_rows_are_ignored():
    evaluator = evaluator_of(1)
    truth = objects([LEFT, [0, 0, 0, 0]], [0, -1], is_crowd=[False, False], area=[100.0, 0.0])
    found = objects([LEFT, [np.nan] * 4], [0, -1], [0.5, 0.9])

    evaluator.add(1, SIZE, truth, found)

    assert evaluator.result()["AP"] == pytest.approx(1.0)
    assert len(evaluator.detections_json()) == 1


def test_the_result_equals_cocoeval_on_json_files(tmp_path):
    # Ids with gaps, images added in random order, crowds, equal scores, missed objects, images without objects.
    rng = np.random.default_rng(1)
    categories = Categories(ids=(3, 7, 90), names=("a", "b", "c"))
    evaluator = CocoEvaluator(categories)
    truth_json = {"images": [], "annotations": [], "info": {}}
    truth_json["categories"] = [{"id": i, "name": n} for i, n in zip((3, 7, 90), "abc", strict=True)]
    for image_id in rng.permutation(np.arange(100, 140)):
        height, width = (int(side) for side in rng.integers(60, 600, 2))
        count = int(rng.integers(0, 8))
        boxes, classes = random_boxes(rng, count).astype(np.float32), rng.integers(0, 3, count)
        is_crowd = rng.random(count) < 0.1
        jittered = boxes + rng.normal(0, 0.015, boxes.shape)
        found = objects(
            np.concatenate([jittered, random_boxes(rng, 4)]),
            np.concatenate([np.where(rng.random(count) < 0.85, classes, 1), rng.integers(0, 3, 4)]),
            np.round(rng.uniform(0, 1, count + 4), 1),
        )
        truth_json["images"].append({"id": int(image_id), "height": height, "width": width})
        areas = []
        for box, index, crowd in zip(boxes.astype(float), classes, is_crowd, strict=True):
            top, left, bottom, right = box * [height, width, height, width]
            areas.append(0.7 * (bottom - top) * (right - left))
            truth_json["annotations"].append(
                {
                    "id": len(truth_json["annotations"]) + 1,
                    "image_id": int(image_id),
                    "category_id": categories.ids[index],
                    "bbox": [left, top, right - left, bottom - top],
                    "area": areas[-1],
                    "iscrowd": int(crowd),
                }
            )
        evaluator.add(image_id, (height, width), objects(boxes, classes, is_crowd=is_crowd, area=areas), found)
    (tmp_path / "truth.json").write_text(json.dumps(truth_json))
    # Sorted by image, because the order of the images decides between equal scores.
    found_json = sorted(evaluator.detections_json(), key=lambda row: row["image_id"])
    (tmp_path / "found.json").write_text(json.dumps(found_json))

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "truth.json"))
        reference = COCOeval(coco, coco.loadRes(str(tmp_path / "found.json")), "bbox")
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    result = evaluator.result()

    names = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
    expected = {name: None if value == -1 else value for name, value in zip(names, reference.stats, strict=True)}
    assert {name: result[name] for name in names} == pytest.approx(expected, abs=1e-8)
    assert 0.1 < result["AP"] < 0.9


def test_nothing_is_printed(capsys):
    evaluator = evaluator_of(1)
    evaluator.add(1, SIZE, objects([LEFT], [0]), objects([LEFT], [0], [0.5]))

    evaluator.result()

    assert capsys.readouterr().out == ""


def test_an_image_id_added_twice_is_refused():
    evaluator = evaluator_of(1)
    evaluator.add(7, SIZE, objects([LEFT], [0]), NOTHING)

    with pytest.raises(InputError, match="image_id=7 again"):
        evaluator.add(7, SIZE, objects([LEFT], [0]), NOTHING)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_box_that_is_not_finite_is_refused_and_its_image_named(value):
    evaluator = evaluator_of(1)

    with pytest.raises(InputError, match=r"image 31 must be finite"):
        evaluator.add(31, SIZE, objects([LEFT], [0]), objects([[0, 0, value, 1]], [0], [0.5]))

    assert len(evaluator) == 0  # no part of it was added


def test_scores_that_are_not_finite_and_unknown_classes_are_refused():
    evaluator = evaluator_of(2)

    with pytest.raises(InputError, match=r"scores .*image 4"):
        evaluator.add(4, SIZE, objects([LEFT], [0]), objects([LEFT], [0], [np.nan]))
    with pytest.raises(InputError, match=r"classes .*image 4 .*class 2"):
        evaluator.add(4, SIZE, objects([LEFT], [0]), objects([LEFT], [2], [0.5]))
