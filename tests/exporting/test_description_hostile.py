"""Descriptions that a file or a server made up: a description, or one sentence, in little memory."""

import json
import tracemalloc

import pytest

from pix2seq_keras import DecodingOptions, Vocabulary
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import parse_description

GOOD = {
    "format": "pix2seq_keras",
    "format_version": 2,
    "image_size": [32, 32],
    "categories": {"ids": [1, 2], "names": ["a", "b"]},
    "vocabulary": Vocabulary(2, 16).get_config(),
    "options": DecodingOptions(max_objects=3).complete(15).to_dict(),
    "max_pixels": 100_000,
    "preset": None,
}
DEEP = "[" * 50_000 + "]" * 50_000
REFUSED = {
    "infinite version": {"format_version": float("inf")},
    "a version that is text": {"format_version": "2"},
    "a version that is a list": {"format_version": [2]},
    "three sides": {"image_size": [32, 32, 32]},
    "no side": {"image_size": []},
    "sides of 0": {"image_size": [0, 0]},
    "sides of 10⁹": {"image_size": [10**9, 10**9]},
    "sides that are no whole numbers": {"image_size": [32.5, 32]},
    "an infinite side": {"image_size": [float("inf"), 32]},
    "sides by name": {"image_size": {"height": 32, "width": 32}},
    "sides as text": {"image_size": "32"},
    "no ids": {"categories": {"ids": [], "names": []}},
    "ids that are not numbers": {"categories": {"ids": [[1], {}], "names": ["a", "b"]}},
    "ids of 1e15": {"categories": {"ids": [1e15, 2], "names": ["a", "b"]}},
    "names that are not text": {"categories": {"ids": [1, 2], "names": [None, {}]}},
    "categories that are a list": {"categories": [1, 2]},
    "options that are a list": {"options": [1]},
    "10¹⁵ objects": {"options": {"max_objects": 10**15}},
    "objects that are no number": {"options": {"max_objects": {"a": 1}}},
    "a sampler without a name": {"options": {"max_objects": 3, "sampler": {"name": [1]}}},
    "a sampler that is deep": {"options": {"max_objects": 3, "sampler": [[[[1]]]]}},
    "pixels that are infinite": {"max_pixels": float("inf")},
    "pixels that are 1e15": {"max_pixels": 1e15},
    "pixels that are negative": {"max_pixels": -1},
    "a preset that is no text": {"preset": {"a": 1}},
}


@pytest.fixture
def little_memory():
    """Fails if the test needs more than 32 MB at once."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 2**20


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_values_out_of_range_are_refused(change, little_memory):
    with pytest.raises(InputError, match="here does not describe itself") as caught:
        parse_description(json.dumps(GOOD | change), "here")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("field", GOOD)
@pytest.mark.parametrize("value", ["Infinity", "NaN", "1e999", "9" * 5000, DEEP, '{"a": 1, "a": 2}'])
def test_numbers_and_depths_that_no_description_has_are_refused_in_every_field(field, value, little_memory):
    text = json.dumps(GOOD | {field: "HERE"}).replace('"HERE"', value)
    with pytest.raises(InputError, match="here does not describe itself"):
        parse_description(text, "here")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b" " * (2**24 + 1), None, 3.5, DEEP])
def test_content_that_is_not_text_of_a_bounded_size_is_refused(content):
    with pytest.raises(InputError, match="here does not describe itself"):
        parse_description(content, "here")


@pytest.mark.parametrize(
    "change",
    [
        {"num_classes": 10**9, "labels": None},
        {"num_bins": 10**12},
        {"size": 10**15},
        {"coord_shift": 1e9},
        {"labels": {}},
    ],
)
def test_a_vocabulary_out_of_range_is_left_out_as_one_of_a_later_layout_is(change, little_memory):
    text = json.dumps(GOOD | {"vocabulary": {**GOOD["vocabulary"], **change}})
    assert parse_description(text, "here").vocabulary is None


@pytest.mark.parametrize(
    "sampler", ["(" * 5000, "-" * 5000 + "1", "TopP(" * 50, "x" * 10_000, "TopP(p=1e999)", 7, None]
)
def test_samplers_of_format_1_that_cannot_be_parsed_are_custom_ones_or_refused(sampler, little_memory):
    options = {"max_objects": 3, "sampler": sampler}
    text = json.dumps(GOOD | {"format_version": 1, "options": options})
    try:
        assert parse_description(text, "here").options.to_dict()["sampler"]["name"] == "custom"
    except InputError as error:
        assert "here does not describe itself" in str(error)
