"""The table of dataset category ids, classes and names."""

import json

import keras
import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.errors import InputError


def test_gapped_and_unsorted_coco_ids_become_contiguous_classes():
    records = [{"id": 90, "name": "toothbrush"}, {"id": 1, "name": "person"}, {"id": 13, "name": "stop sign"}]

    categories = Categories.from_coco(records)

    assert categories.ids == (1, 13, 90)
    assert categories.names == ("person", "stop sign", "toothbrush")
    assert [categories.class_of(i) for i in (1, 13, 90)] == [0, 1, 2]
    assert categories.class_of(12) is None


def test_from_names_numbers_the_ids_from_first_id():
    categories = Categories.from_names(["a", "b"], first_id=0)

    assert (categories.ids, categories.names, len(categories)) == ((0, 1), ("a", "b"), 2)
    assert Categories.from_names(["a", "b"]).ids == (1, 2)


def test_two_categories_of_the_same_name_get_their_ids_added():
    records = [{"id": 3, "name": "crane"}, {"id": 9, "name": "crane"}, {"id": 4, "name": "heron"}]

    assert Categories.from_coco(records).names == ("crane (id 3)", "heron", "crane (id 9)")


@pytest.mark.parametrize(
    ("records", "named"),
    [
        ([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}], "record 1 .* repeats the id 1 of 'a'"),
        ([{"id": 1, "name": "a"}, {"id": 2}], 'record 1 .* must have a "name"'),
        ([{"id": 1, "name": "  "}], 'record 0 .* must have a "name"'),
        ([{"id": "1", "name": "a"}], 'record 0 .* must have an "id"'),
        ([{"id": True, "name": "a"}], 'record 0 .* must have an "id"'),
        ([{"id": 2**63, "name": "a"}], 'record 0 .* must have an "id"'),
        ([{"id": 1, "name": "a"}, "cat"], "record 1 .* must be a dictionary"),
        ([], "at least one"),
        ({"id": 1}, "at least one"),
    ],
)
def test_an_unusable_coco_category_is_refused_and_its_record_named(records, named):
    with pytest.raises(InputError, match=named):
        Categories.from_coco(records)


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        ((1, 1), ("a", "b")),
        ((1, 2), ("a", "a")),
        ((1,), ("a", "b")),
        ((), ()),
        ((1.5,), ("a",)),
        ((1,), (7,)),
    ],
)
def test_an_inconsistent_table_is_refused(ids, names):
    with pytest.raises(InputError):
        Categories(ids=ids, names=names)


def test_categories_round_trip_through_keras_and_json():
    categories = Categories(ids=np.array([2, 5, 7]), names=["x", "y", "z"])

    config = json.loads(json.dumps(keras.saving.serialize_keras_object(categories)))
    back = keras.saving.deserialize_keras_object(config)

    assert back == categories and hash(back) == hash(categories)
    assert Categories.from_config(json.loads(json.dumps(categories.get_config()))) == categories
    assert back.class_of(7) == 2


def test_tables_are_merged_by_name_and_keep_unused_ids():
    first, second = Categories((1, 7), ("cat", "dog")), Categories((0, 1, 9), ("dog", "cow", "hen"))

    merged = Categories.merge([first, second, first])

    assert merged.names == ("cat", "dog", "cow", "hen")
    assert merged.ids == (1, 7, 8, 9)
    assert Categories.merge([first]) == first
