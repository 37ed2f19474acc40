"""`DecodingOptions`: checks, defaults, and the way to dictionaries and back."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from pix2seq_keras import DecodingOptions, InputError, samplers
from pix2seq_keras.decoding.options import DEFAULT_COORDINATE_WINDOW

FIELDS = [field.name for field in dataclasses.fields(DecodingOptions)]


def another(name, default):
    """A value of a field that is not its default."""
    if default is None or name == "sampler":
        sampler = {"name": "top_p", "p": 0.8, "temperature": 1.5}
        return {"max_objects": 7, "sampler": sampler, "coordinate_window": 0.1, "multi_label": False}[name]
    return not default if isinstance(default, bool) else default + 3


OTHERS = {field.name: another(field.name, field.default) for field in dataclasses.fields(DecodingOptions)}


def own_sampler(logits, uniform):
    return None


def test_options_cannot_be_changed_and_equal_ones_have_one_hash():
    options = DecodingOptions(**OTHERS)

    assert options == DecodingOptions(**OTHERS) and hash(options) == hash(DecodingOptions(**OTHERS))
    assert not [name for name in FIELDS if getattr(options, name) == getattr(DecodingOptions(), name)]
    for name in FIELDS:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(options, name, OTHERS[name])


@pytest.mark.parametrize("options", [{}, OTHERS, {"sampler": "beam_search"}], ids=["defaults", "others", "beam_search"])
def test_a_dictionary_through_json_gives_equal_options(options):
    options = DecodingOptions(**options)

    values = options.to_dict()

    assert list(values) == FIELDS
    assert DecodingOptions.from_dict(json.loads(json.dumps(values))) == options


def test_an_own_sampler_is_described_in_the_dictionary():
    values = DecodingOptions(sampler=own_sampler).to_dict()

    assert values["sampler"] == {"name": "custom", "text": repr(own_sampler)}
    assert DecodingOptions.from_dict(values).sampler == samplers.Custom(repr(own_sampler))


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("greedy", samplers.Greedy()),
        ({"name": "top_k", "k": 3}, samplers.TopK(3)),
        (samplers.BeamSearch(2), samplers.BeamSearch(2)),
        (own_sampler, own_sampler),
    ],
    ids=["name", "mapping", "object", "callable"],
)
def test_a_sampler_is_given_by_name_mapping_object_or_callable(sampler, expected):
    assert DecodingOptions(sampler=sampler).sampler == expected


def test_numbers_of_numpy_are_numbers():
    options = DecodingOptions(
        max_objects=np.int64(7), num_samples=np.int32(2), flip_test=np.True_, end_bias=np.float32(1), seed=np.int16(3)
    )

    assert options == DecodingOptions(max_objects=7, num_samples=2, flip_test=True, end_bias=1.0, seed=3)
    json.dumps(options.to_dict())
    assert type(options.end_bias) is float and type(options.flip_test) is bool


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_objects": 0}, "`max_objects` must be a whole number of at least 1. Received: max_objects=0"),
        ({"max_objects": 2.0}, "`max_objects` must be a whole number.*max_objects=2.0"),
        ({"max_objects": True}, "`max_objects` must be a whole number.*max_objects=True"),
        ({"sampler": "best"}, "`sampler` must be one of greedy, top_k, top_p, beam_search.*sampler='best'"),
        ({"constrained": None}, "`constrained` must be True or False. Received: constrained=None"),
        ({"stop_at_end": 1}, "`stop_at_end` must be True or False. Received: stop_at_end=1"),
        ({"end_bias": float("nan")}, "`end_bias` must be a number between -1e9 and 1e9. Received: end_bias=nan"),
        ({"end_bias": float("inf")}, "`end_bias` must be a number.*end_bias=inf"),
        ({"end_bias": "much"}, "`end_bias` must be a number.*end_bias='much'"),
        ({"end_bias": None}, "`end_bias` must be a number.*end_bias=None"),
        ({"end_bias": True}, "`end_bias` must be a number.*end_bias=True"),
        ({"coordinate_window": -0.1}, "`coordinate_window` must be a number between 0 and 1.*coordinate_window=-0.1"),
        ({"coordinate_window": 1.1}, "`coordinate_window` must be a number between 0 and 1.*=1.1"),
        ({"coordinate_window": float("nan")}, "`coordinate_window` must be a number between 0 and 1.*=nan"),
        ({"coordinate_window": "wide"}, "`coordinate_window` must be a number between 0 and 1.*='wide'"),
        *(
            ({"num_samples": number}, "`num_samples` must be a whole number from 1 to 16. Received: num_samples=")
            for number in (0, 17, 2.0, True, "2", None)
        ),
        *(
            ({"num_samples": 2, "flip_test": value}, "`flip_test` must be True or False. Received: flip_test=")
            for value in ("no", 1, None, np.array([True, False]))
        ),
        ({"flip_test": True}, "requires an even `num_samples`.*flip_test=True, num_samples=1. Use num_samples=2"),
        ({"flip_test": True, "num_samples": 3}, "requires an even `num_samples`.*flip_test=True, num_samples=3"),
        ({"flip_test": True, "num_samples": 18}, "`num_samples` must be a whole number from 1 to 16"),
        ({"flip_test": True, "num_samples": 2.0}, "`num_samples` must be a whole number"),
        (
            {"flip_test": True, "num_samples": 4, "sampler": "greedy"},
            r"requires a sampler that draws.*Greedy\(\).*Received: num_samples=4, flip_test=True",
        ),
        *(
            (
                {"num_samples": 2, "sampler": sampler},
                "`num_samples` above 1 requires a sampler that draws.*num_samples=2",
            )
            for sampler in ("greedy", "beam_search", samplers.BeamSearch(2))
        ),
        ({"multi_label": "yes"}, "`multi_label` must be True, False or None. Received: multi_label='yes'"),
        (
            {"multi_label": True, "constrained": False},
            "`multi_label=True` requires `constrained=True`.*Received: multi_label=True, constrained=False",
        ),
        *(
            ({"seed": seed}, "`seed` must be a whole number of 32 bits. Received: seed=")
            for seed in (2**31, -(2**31) - 1, 0.5, None, True)
        ),
    ],
    ids=str,
)
def test_an_option_that_is_not_valid_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        DecodingOptions(**options)


def test_two_samples_of_the_image_and_its_flip_need_no_sampler_that_draws():
    assert DecodingOptions(flip_test=True, num_samples=2, sampler="greedy").num_samples == 2


def test_resolving_takes_options_dictionaries_and_overrides():
    options = DecodingOptions(max_objects=7, seed=3)

    assert DecodingOptions.resolve() == DecodingOptions()
    assert DecodingOptions.resolve(options) == options
    assert DecodingOptions.resolve({"max_objects": 7, "seed": 3}) == options
    assert DecodingOptions.resolve(max_objects=7, seed=3) == options
    for base in (options, {"max_objects": 7, "seed": 3}):
        assert DecodingOptions.resolve(base, seed=4, sampler="greedy") == DecodingOptions(7, "greedy", seed=4)
    assert options.seed == 3


def test_an_override_is_checked_together_with_the_options():
    with pytest.raises(InputError, match="requires `constrained=True`"):
        DecodingOptions.resolve(DecodingOptions(multi_label=True), constrained=False)


@pytest.mark.parametrize("options", [None, DecodingOptions(), {}])
def test_an_unknown_field_is_named_beside_the_known_ones(options):
    with pytest.raises(InputError, match=rf"Decoding options are {', '.join(FIELDS)}\. Received: beams=…, top_p=…"):
        DecodingOptions.resolve(options, beams=3, top_p=0.4)


@pytest.mark.parametrize("options", ["greedy", 3, ["max_objects"]])
def test_options_of_another_type_are_refused(options):
    with pytest.raises(InputError, match="`options` must be a DecodingOptions or a dict of its fields"):
        DecodingOptions.resolve(options)


@pytest.mark.parametrize("constrained", [True, False])
def test_completing_replaces_every_none_by_the_default_of_the_mode(constrained):
    options = DecodingOptions(constrained=constrained).complete(max_length=20)

    window = DEFAULT_COORDINATE_WINDOW if constrained else 0.0
    assert (options.max_objects, options.coordinate_window, options.multi_label) == (4, window, constrained)
    assert None not in [getattr(options, name) for name in FIELDS]
    assert options.complete(max_length=20) == options


def test_completing_keeps_what_was_set():
    options = DecodingOptions(**OTHERS)

    assert options.complete(max_length=512) == options


def test_at_most_a_hundred_objects_are_decoded_unless_more_are_asked_for():
    assert DecodingOptions().complete(512).max_objects == 100
    assert DecodingOptions(max_objects=102).complete(512).max_objects == 102


@pytest.mark.parametrize("max_objects", [5, 1000])
def test_more_objects_than_the_model_has_positions_for_are_refused(max_objects):
    message = f"`max_objects` must be between 1 and 4: the model has 20 positions.*max_objects={max_objects}"
    with pytest.raises(InputError, match=message):
        DecodingOptions(max_objects=max_objects).complete(max_length=20)


def test_importing_the_options_loads_no_tensorflow():
    program = "import sys; from pix2seq_keras.decoding.options import DecodingOptions; "
    program += f"DecodingOptions(**{OTHERS}); print('tensorflow' in sys.modules, 'numpy' in sys.modules)"

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["False", "False"]
