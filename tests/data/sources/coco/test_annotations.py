"""An unusable annotation is left out and reported; all others are kept."""

import re

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.coco.splits import annotation_file, list_splits
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
BOX = [33, 4, 24, 10]  # x, y, width, height
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)
NAN, INF = float("nan"), float("inf")


def annotation(identifier=1, image_id=1, category_id=1, bbox=BOX, **more):
    return {"id": identifier, "image_id": image_id, "category_id": category_id, "bbox": bbox, **more}


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (annotation(bbox=[5, 5, 0, 5]), "box without area"),
        (annotation(bbox=[5, 5, 5, -1]), "box without area"),
        (annotation(bbox=[50, 5, 1e-9, 5]), "box without area"),
        (annotation(bbox=[60, 5, 5, 5]), "box outside the image"),
        (annotation(bbox=[5, -9, 5, 9]), "box outside the image"),
        (annotation(bbox=[1e308, 5, 1e308, 5]), "box outside the image"),
        (annotation(bbox=[NAN, 5, 5, 5]), "box with NaN"),
        (annotation(bbox=[5, 5, INF, 5]), "box with NaN"),
        (annotation(bbox=[5, 5, 10**400, 5]), "box with NaN"),
        (annotation(bbox=["five", 5, 5, 5]), "unusable box"),
        (annotation(bbox=[5, 5, 5]), "unusable box"),
        (annotation(bbox=[5, 5, 5, None]), "unusable box"),
        (annotation(bbox=[5, 5, 5, True]), "unusable box"),
        (annotation(bbox=None), "unusable box"),
        (annotation(bbox={"x": 1}), "unusable box"),
        ({"id": 1, "image_id": 1, "category_id": 1}, "unusable box"),
        (annotation(category_id=2), "unknown category"),
        (annotation(category_id="one"), "unusable annotation record"),
        (annotation(category_id=True), "unusable annotation record"),
        (annotation(image_id=99), "annotation of an unknown image"),
        (annotation(image_id=1.5), "unusable annotation record"),
        (annotation(image_id=[1]), "unusable annotation record"),
        (annotation(iscrowd="yes"), "unusable annotation record"),
        (annotation(iscrowd=2), "unusable annotation record"),
        ("box", "unusable annotation record"),
        (None, "unusable annotation record"),
        ([], "unusable annotation record"),
    ],
)
def test_only_the_unusable_annotation_is_left_out(coco, record, kind):
    source = coco(annotations=[record, annotation(77)])

    boxes = source.read(0)["boxes"]

    np.testing.assert_allclose(boxes, [REL])
    assert source.issues.counts() == {kind: 1}
    assert next(iter(source.issues)).where.startswith("annotations[0]")


def test_boxes_are_clipped_to_the_image_and_reported_beyond_a_pixel(coco):
    source = coco(annotations=[annotation(1, bbox=[-0.5, 0, 20.5, 40.9]), annotation(2, bbox=[50, 30, 30, 5])])

    example = source.read(0)

    np.testing.assert_allclose(example["boxes"], [[0, 0, 1, 20 / 60], [30 / 40, 50 / 60, 35 / 40, 1]], atol=1e-6)
    np.testing.assert_allclose(example["area"], [800, 50])
    assert [(issue.kind, issue.where) for issue in source.issues] == [
        ("box clipped to the image", "annotations[1] (id 2)")
    ]


def test_equal_annotations_of_one_id_count_once_and_different_ones_twice(coco):
    other = annotation(1, bbox=[0, 0, 5, 5])
    source = coco(annotations=[annotation(1), annotation(1), other, other, annotation(2, bbox=[1, 1, 5, 5])])

    assert source.object_counts.tolist() == [3]
    assert source.issues.counts() == {"duplicate annotation id": 3}


@pytest.mark.parametrize("area", [None, 10, 10.0, NAN, [1], {"a": 1}, "10"])
def test_thousands_of_annotations_may_have_one_id(coco, area):
    boxes = [[number % 50, 0, 5, 5] for number in range(2000)]
    source = coco(annotations=[annotation(0, bbox=box, area=area) for box in boxes])

    assert source.object_counts.tolist() == [50]
    assert source.issues.counts() == {"duplicate annotation id": 1999}


@pytest.mark.parametrize("identifier", [None, "a", True, 1.5, [1]])
def test_an_annotation_without_a_usable_id_is_kept(coco, identifier):
    source = coco(annotations=[annotation(identifier), annotation(identifier, bbox=[0, 0, 5, 5])])

    assert source.object_counts.tolist() == [2]
    assert source.issues.counts() == {"annotation without an id": 2}


@pytest.mark.parametrize("area", ["x", NAN, -1, 0, 10**400, 1e300, True, None])
def test_an_unusable_area_is_replaced_by_that_of_the_box(coco, area):
    source = coco(annotations=[annotation(area=area)])

    assert source.read(0)["area"].tolist() == [240.0]


def test_a_source_without_annotations_opens_but_cannot_be_trained_on(coco):
    source = coco(annotations=[])

    assert source.read(0)["boxes"].shape == (0, 4) and not source.annotated.any()
    assert source.issues.counts() == {"no annotations": 1, "image without annotations": 1}
    with pytest.raises(InputError, match="must have at least one usable object"):
        source.require_annotated()


def test_an_image_with_only_crowds_is_not_annotated_and_the_way_to_keep_them_is_said(coco):
    source = coco(annotations=[annotation(iscrowd=1)])

    assert source.annotated.tolist() == [False] and len(source.read(0)["boxes"]) == 1
    offer = f'"iscrowd": 1, .* write coco:{coco.folder.parent}[?]iscrowd=keep'
    assert re.search(offer, next(issue.message for issue in source.issues if issue.kind == "no annotations"))
    with pytest.raises(InputError, match=offer):
        source.require_annotated()


def test_kept_crowds_are_objects(coco):
    folder = coco.folder.parent
    coco(annotations=[annotation(iscrowd=1), annotation(2, iscrowd="1", bbox=[0, 0, 5, 5])])

    for location in (f"{folder}", f"{folder}/annotations/instances_train.json+{folder}/train"):
        name = f"coco:{location}?iscrowd=keep"
        source = open_source(name, list_splits(f"{location}?iscrowd=keep")[0] if "+" not in location else "all")
        assert source.object_counts.tolist() == [2] and source.name == name
        assert annotation_file(f"{location}?iscrowd=keep", "train").endswith("instances_train.json")
    with pytest.raises(InputError, match="must be one of 'ignore', 'keep'"):
        open_source(f"coco:{folder}?iscrowd=drop", "train")
