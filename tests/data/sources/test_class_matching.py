"""Classes of a source, matched by name with those of another."""

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.class_matching import unknown_classes, with_classes


@pytest.fixture
def source(write_rectangles, tmp_path):
    """Two images, each with a red, a green and a blue rectangle."""
    return open_source(f"coco:{write_rectangles(tmp_path / 'set', {'train': 2})}", "train")


def test_only_classes_with_objects_are_unknown(source):
    assert unknown_classes(source, ["red", "green", "blue", "other"]) == []
    assert unknown_classes(source, ["blue"]) == ["red", "green"]

    wider = with_classes(source, Categories((1, 2, 3, 4), ("red", "green", "blue", "unused")))

    assert unknown_classes(wider, ["red", "green", "blue"]) == []
    assert unknown_classes(source, [], count=0) == []


def test_another_order_moves_the_classes_and_keeps_the_objects(source):
    moved = with_classes(source, Categories((7, 8, 9), ("blue", "red", "green")))

    before, after = source.read(1), moved.read(1)

    names = lambda one, example: [one.categories.names[number] for number in example["classes"]]
    assert names(moved, after) == names(source, before) and moved.object_counts.tolist() == [3, 3]
    np.testing.assert_array_equal(after["boxes"], before["boxes"])
    np.testing.assert_array_equal(after["image"], before["image"])
    assert moved.part([1]).objects(0)["classes"].tolist() == after["classes"].tolist()


def test_objects_of_other_classes_are_left_out_but_not_their_images(source):
    few = with_classes(source, Categories((5,), ("green",)))
    none = with_classes(source, Categories((5,), ("violet",)))

    example = few.objects(0)
    assert len(few) == 2 and few.object_counts.tolist() == [1, 1] and example["classes"].tolist() == [0]
    assert [len(example[key]) for key in ("boxes", "is_crowd", "area")] == [1, 1, 1]
    assert none.annotated.tolist() == [False, False] and len(none.read(0)["boxes"]) == 0
    assert with_classes(source, source.categories) is source
