"""The description inside an exported model: format 2, and files of format 1."""

import dataclasses
import json

import numpy as np
import pytest

from pix2seq_keras import Categories, DecodingOptions, InputError, Vocabulary, __version__, samplers
from pix2seq_keras.exporting.description import describe, parse_description, require_exported_options

OPTIONS = DecodingOptions().complete(max_length=20)
NAMES = [field.name for field in dataclasses.fields(DecodingOptions)]
# What version 0.1.0 wrote, with fewer classes.
FORMAT_1 = """{
    "format": "pix2seq_keras", "format_version": 1, "package_version": "0.1.0", "preset": "digits_tiny",
    "image_size": [96, 96], "categories": {"ids": [1, 2], "names": ["0", "1"]},
    "vocabulary": {"num_classes": 2, "num_bins": 192, "start_token": 1, "noise_token": 2, "label_shift": 3,
                   "labels": [0, 1], "coord_shift": 5, "size": 197},
    "options": {"max_objects": 10, "sampler": "TopP(p=0.4, temperature=1.0)", "constrained": true,
                "stop_at_end": false, "end_bias": 0.0, "coordinate_window": 0.02, "multi_label": true,
                "readings": 4, "mirror": true, "seed": 3},
    "max_pixels": 40000000}"""


@pytest.fixture
def values():
    return {
        "format": "pix2seq_keras",
        "format_version": 2,
        "package_version": "0.2.0",
        "preset": "digits_tiny",
        "image_size": [96, 64],
        "categories": {"ids": [1, 5], "names": ["a", "b"]},
        "vocabulary": Vocabulary(2, 16).get_config(),
        "options": OPTIONS.to_dict(),
        "max_pixels": 1000,
    }


@pytest.fixture
def description(values):
    return parse_description(json.dumps(values), "here")


def test_a_description_gives_what_a_detector_needs(description):
    assert description.categories == Categories((1, 5), ("a", "b"))
    assert description.vocabulary == Vocabulary(2, 16)
    assert description.options == OPTIONS
    assert (description.image_size, description.max_pixels, description.preset) == ((96, 64), 1000, "digits_tiny")


def test_what_a_model_is_described_by_is_parsed_again(build_tiny_model):
    model = build_tiny_model(categories=Categories((3, 5, 90), ("cell", "Ei", "größer")))
    options = DecodingOptions(max_objects=3, sampler=samplers.TopK(2), end_bias=-1, seed=7).complete(20)

    values = describe(model, options, preset="tiny", max_pixels=77)

    assert (values["format_version"], values["package_version"]) == (2, __version__)
    description = parse_description(json.dumps(values, ensure_ascii=False), "here")
    assert (description.categories, description.vocabulary) == (model.categories, model.vocabulary)
    assert description.options == options
    assert (description.image_size, description.max_pixels, description.preset) == ((32, 32), 77, "tiny")


def test_the_rows_of_an_answer_are_those_of_all_samples(values):
    values["options"] = DecodingOptions(max_objects=4, num_samples=3).complete(20).to_dict()

    assert parse_description(json.dumps(values), "here").rows == 12


def test_an_option_that_an_earlier_version_did_not_have_is_the_default(values):
    values["options"] = {"max_objects": 4}

    assert parse_description(json.dumps(values), "here").options == OPTIONS


def test_a_vocabulary_of_another_layout_is_left_out(values):
    values["vocabulary"] = {"layout": "of the future"}

    assert parse_description(json.dumps(values), "here").vocabulary is None


# ---- Format 1 ----


def test_the_options_of_format_1_are_translated():
    description = parse_description(FORMAT_1, "here")

    expected = DecodingOptions(max_objects=10, num_samples=4, flip_test=True, seed=3).complete(512)
    assert description.options == expected
    assert description.rows == 40
    assert description.categories == Categories((1, 2), ("0", "1"))
    assert description.vocabulary == Vocabulary(2, 192)
    require_exported_options(description, {"sampler": "top_p", "num_samples": 4, "flip_test": True}, "here")


def test_files_of_format_1_that_are_older_than_several_samples_open():
    values = json.loads(FORMAT_1)
    for name in ("readings", "mirror"):
        del values["options"][name]

    description = parse_description(json.dumps(values), "here")

    assert (description.options.num_samples, description.options.flip_test) == (1, False)


@pytest.mark.parametrize(
    ("text", "sampler"),
    [
        ("Greedy()", samplers.Greedy()),
        ("TopK(k=3, temperature=0.5)", samplers.TopK(3, 0.5)),
        ("TopP(p=0.9, temperature=1.0)", samplers.TopP(0.9)),
        ("BeamSearch(beams=2, length_penalty=0.5)", samplers.BeamSearch(2, 0.5)),
        ("<function own at 0x7f>", samplers.Custom("<function own at 0x7f>")),
        ("Best(p=0.9)", samplers.Custom("Best(p=0.9)")),
        ("TopP(p=open('x'))", samplers.Custom("TopP(p=open('x'))")),
    ],
)
def test_the_samplers_of_format_1_are_parsed(text, sampler):
    values = json.loads(FORMAT_1)
    values["options"] |= {"sampler": text, "readings": 1, "mirror": False}

    assert parse_description(json.dumps(values), "here").options.sampler == sampler


# ---- What is refused ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(format="other"), "format is 'other'"),
        (lambda v: v.pop("categories"), "'categories' is missing"),
        (lambda v: v.update(image_size=7), "does not describe itself"),
        (lambda v: v.update(categories={"ids": [1, 1], "names": ["a", "b"]}), "more than once"),
        (lambda v: v.update(options={**OPTIONS.to_dict(), "max_objects": None}), "no max_objects"),
        (lambda v: v.update(options={**OPTIONS.to_dict(), "max_objects": -1}), "here does not.*max_objects=-1"),
        (lambda v: v.update(options={**OPTIONS.to_dict(), "of_the_future": 1}), "Received: of_the_future=…"),
        (lambda v: v.update(format_version=3, package_version="9.9"), r"later version of this package \(9\.9"),
    ],
)
def test_what_is_not_a_description_is_refused(values, change, message):
    change(values)

    with pytest.raises(InputError, match=message):
        parse_description(json.dumps(values), "here")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe"])
def test_text_that_is_not_a_json_object_is_refused(text):
    with pytest.raises(InputError, match="here does not describe itself"):
        parse_description(text, "here")


# ---- Options of a call ----


def test_options_equal_to_the_exported_ones_pass(description):
    require_exported_options(description, OPTIONS.to_dict(), "here")
    require_exported_options(description, dict.fromkeys([*OPTIONS.to_dict(), "jit_compile"]), "here")
    require_exported_options(description, {"end_bias": 0, "constrained": np.True_, "max_objects": np.int64(4)}, "here")
    for sampler in ("top_p", samplers.TopP(), samplers.TopP(p=0.4), {"name": "top_p", "p": 0.4}):
        require_exported_options(description, {"sampler": sampler}, "here")


def another(value):
    """A value of an option that differs from the exported one."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else "greedy"


@pytest.mark.parametrize("name", NAMES)
def test_another_value_of_any_option_is_refused_with_the_exported_one(description, name):
    exported = OPTIONS.to_dict()[name]
    wanted = another(exported)

    with pytest.raises(InputError, match="export it again to change that") as error:
        require_exported_options(description, {name: wanted}, "here")

    assert str(error.value).startswith(f"here was exported with {name}={exported}")
    assert str(error.value).endswith(f"Received: {name}={wanted!r}")


@pytest.mark.parametrize(
    "option",
    [{"sampler": samplers.TopP(0.9)}, {"num_samples": True}, {"seed": [0, 0]}, {"seed": np.array([0, 0])}],
    ids=str,
)
def test_values_that_only_resemble_the_exported_ones_are_refused(description, option):
    with pytest.raises(InputError, match=f"here was exported with {next(iter(option))}="):
        require_exported_options(description, option, "here")


def test_options_that_an_exported_model_does_not_have_are_refused(description):
    with pytest.raises(InputError, match=r"here is an exported model: its options are max_objects=4, .*prompt=\[\[1"):
        require_exported_options(description, {"prompt": [[1]]}, "here")
