"""What an exported model says about itself."""

import json

import pytest

from pix2seq_keras import Categories, InputError, Vocabulary, samplers
from pix2seq_keras.exporting.description import parse_description, require_exported_options

OPTIONS = {"max_objects": 4, "sampler": repr(samplers.TopP()), "constrained": True, "end_bias": 0.0, "seed": 0}


@pytest.fixture
def values():
    return {
        "format": "pix2seq_keras",
        "format_version": 1,
        "package_version": "0.1.0",
        "preset": "digits_tiny",
        "image_size": [96, 64],
        "categories": {"ids": [1, 5], "names": ["a", "b"]},
        "vocabulary": Vocabulary(2, 16).get_config(),
        "options": OPTIONS,
        "max_pixels": 1000,
    }


def test_a_description_gives_what_a_detector_needs(values):
    description = parse_description(json.dumps(values), "here")
    assert description.categories == Categories((1, 5), ("a", "b"))
    assert description.vocabulary == Vocabulary(2, 16)
    assert (description.image_size, description.max_pixels, description.preset) == ((96, 64), 1000, "digits_tiny")


def test_an_answer_has_rows_for_the_objects_of_every_reading(values):
    earlier = parse_description(json.dumps(values), "here")
    values["options"] = {**OPTIONS, "readings": 3}
    assert (earlier.rows, parse_description(json.dumps(values), "here").rows) == (4, 12)
    require_exported_options(earlier, {"readings": 1, "mirror": False}, "here")
    with pytest.raises(InputError, match="was exported with readings=1"):
        require_exported_options(earlier, {"readings": 2}, "here")


def test_a_vocabulary_of_another_layout_is_no_reason_to_refuse(values):
    values["vocabulary"] = {"layout": "of the future"}
    assert parse_description(json.dumps(values), "here").vocabulary is None


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda v: v.update(format="other"), "format is 'other'"),
        (lambda v: v.pop("categories"), "'categories' is missing"),
        (lambda v: v.update(image_size=7), "does not describe itself"),
        (lambda v: v.update(categories={"ids": [1, 1], "names": ["a", "b"]}), "more than once"),
        (lambda v: v.update(format_version=2, package_version="9.9"), r"later version of this package \(9\.9"),
    ],
)
def test_what_is_no_description_is_refused(values, change, said):
    change(values)
    with pytest.raises(InputError, match=said):
        parse_description(json.dumps(values), "here")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe"])
def test_text_that_is_no_json_object_is_refused(text):
    with pytest.raises(InputError, match="here does not describe itself"):
        parse_description(text, "here")


def test_options_equal_to_the_exported_ones_pass(values):
    description = parse_description(json.dumps(values), "here")
    equal = {"max_objects": 4, "constrained": True, "seed": 0, "end_bias": 0, "multi_label": None, "jit_compile": None}
    for sampler in ("top_p", samplers.TopP(), samplers.TopP(p=0.4)):
        require_exported_options(description, {**equal, "sampler": sampler, "jit_compile": False}, "here")


@pytest.mark.parametrize(
    "option",
    [
        {"max_objects": 5},
        {"sampler": "greedy"},
        {"sampler": samplers.TopP(0.9)},
        {"constrained": False},
        {"seed": 1},
        {"seed": [0, 0]},
        {"end_bias": -1.0},
    ],
)
def test_other_options_are_refused_with_what_was_exported(values, option):
    description = parse_description(json.dumps(values), "here")
    (name,) = option
    with pytest.raises(InputError, match=f"here was exported with {name}=.*export it again.*Received: {name}="):
        require_exported_options(description, option, "here")


def test_options_that_an_exported_model_does_not_have_are_refused(values):
    description = parse_description(json.dumps(values), "here")
    with pytest.raises(InputError, match="takes no option prompt"):
        require_exported_options(description, {"prompt": [[1]]}, "here")
