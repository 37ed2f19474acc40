"""The flags of decoding are the fields of `DecodingOptions`, and only those that were given are passed on."""

import dataclasses

import jsonargparse
import pytest

from pix2seq_keras import DecodingOptions, InputError
from pix2seq_keras.commands.decoding_options import add_flags, pop_given


def parse(*arguments):
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    add_flags(parser)
    return pop_given(parser.parse_args(list(arguments)).as_dict())


def test_only_given_flags_are_passed_on():
    assert parse() == {}
    assert parse("--num_samples", "4", "--flip_test", "false", "--coordinate_window", "0") == {
        "num_samples": 4,
        "flip_test": False,
        "coordinate_window": 0.0,
    }


def test_every_option_has_a_flag_with_its_description():
    parser = jsonargparse.ArgumentParser()
    add_flags(parser)

    help_ = parser.format_help()

    for field in dataclasses.fields(DecodingOptions):
        assert f"--{field.name}" in help_


def test_a_sampler_is_a_name_or_a_mapping():
    assert parse("--sampler", "greedy") == {"sampler": "greedy"}
    assert parse("--sampler", "{name: top_p, p: 0.8}") == {"sampler": {"name": "top_p", "p": 0.8}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--flip_test", "true", "--num_samples", "3"], "Received: flip_test=True, num_samples=3"),
        (["--num_samples", "2", "--sampler", "greedy"], "requires a sampler that draws"),
        (["--sampler", "best"], "`sampler` must be one of greedy.*Received: sampler='best'"),
        (["--sampler", "{name: greedy, p: 0.8}"], "greedy takes no parameters. Received: p"),
        (["--sampler", "{name: top_p, p: 0}"], r"`p` must lie in \(0, 1\]. Received: p=0"),
        (["--multi_label", "true", "--constrained", "false"], "`multi_label=True` requires `constrained=True`"),
    ],
)
def test_options_that_exclude_each_other_are_refused_before_a_model_is_opened(arguments, message):
    with pytest.raises(InputError, match=message):
        parse(*arguments)


def test_flip_test_alone_is_valid_for_an_exported_model():
    assert parse("--flip_test", "true") == {"flip_test": True}
