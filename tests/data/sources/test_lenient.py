"""Integers and booleans as tools write them have one meaning; anything else is not guessed."""

import pytest

from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.coco.read import open_coco_file
from pix2seq_keras.data.sources.lenient import LenientReader, parse_boolean, parse_integer

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        (7, 7), ("7", 7), (7.0, 7), ("7.0", 7), (" 7 ", 7), ("007", 7), ("-7", -7), ("7.", 7), (2**63 - 1, 2**63 - 1),
        (7.5, None), ("7.5", None), ("abc", None), ("", None), (None, None), (True, None), (NAN, None), (INF, None),
        ("1_0", None), ("٧", None), ("1e3", None), (2**63, None), ("9" * 30, None), (1e17, None), ([7], None),
    ],
)  # fmt: skip
def test_an_integer_is_read_in_every_spelling_and_never_guessed(value, integer):
    assert parse_integer(value) == integer and type(parse_integer(value)) is type(integer)


@pytest.mark.parametrize(
    ("value", "boolean"),
    [
        (0, False), (1, True), ("0", False), ("1", True), (0.0, False), (1.0, True), ("0.0", False), ("1.0", True),
        (None, False), ("", False), (NAN, False), ("Unspecified", False), ("False", False), ("false", False),
        (False, False), (True, True), ("True", True), (" 1 ", True), ("null", False), ("None", False),
        (2, None), ("2", None), (0.5, None), ("maybe", None), (-1, None), ([], None), ({}, None),
    ],
)  # fmt: skip
def test_a_boolean_is_read_in_every_spelling_and_never_guessed(value, boolean):
    assert parse_boolean(value) is boolean


def test_each_kind_of_value_is_noted_once_with_its_number_and_first_place():
    reader, issues = LenientReader(), Issues()

    values = [
        reader.integer(value, '"id" of images', lambda n=n: f"images[{n}]") for n, value in enumerate([1, "2", 3.0])
    ]
    flag = reader.boolean(None, '"iscrowd" of annotations', lambda: "annotations[4]")
    refused = reader.integer("x", '"id" of images', lambda: "images[9]")
    reader.report(issues)

    assert values == [1, 2, 3] and flag is False and refused is None
    assert [(issue.kind, issue.severity, issue.message) for issue in issues] == [
        ("value read leniently", "note", "\"id\" of images: 2 in all. The first: images[1]: '2' is read as 2."),
        (
            "value read leniently",
            "note",
            '"iscrowd" of annotations: 1 in all. The first: annotations[4]: None is read as 0.',
        ),
    ]


def test_a_coco_file_of_texts_is_read_like_one_of_numbers(coco, tmp_path):
    image = {"id": "1", "file_name": "a.png", "width": "60", "height": "40.0"}
    annotation = {"id": "7", "image_id": 1.0, "category_id": "5.0", "bbox": [33, 4, 24, 10], "iscrowd": "1"}
    categories = [{"id": "1", "name": "one"}, {"id": 5.0, "name": "five"}]

    source = coco([image], [annotation, annotation | {"id": 8.0, "iscrowd": None}], categories)

    assert source.categories.ids == (1, 5) and source.image_ids.tolist() == [1]
    assert source.objects(0)["classes"].tolist() == [1, 1] and source.objects(0)["is_crowd"].tolist() == [True, False]
    assert source.issues.counts() == {"value read leniently": 7}
    assert len(open_coco_file(coco.document, tmp_path / "train")) == 1
