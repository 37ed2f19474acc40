"""The flags of `evaluate`, `predict` and `export` that say how images are decoded: the fields of `DecodingOptions`."""

import dataclasses
import typing

import docstring_parser
import jsonargparse

from pix2seq_keras.decoding.options import DecodingOptions


def add_flags(parser: jsonargparse.ArgumentParser) -> None:
    """Adds a flag for every field of `DecodingOptions`; a flag that is not given leaves the field to the model.

    Args:
        parser: jsonargparse.ArgumentParser.
    """
    types = typing.get_type_hints(DecodingOptions)
    helps = {one.arg_name: one.description for one in docstring_parser.parse(DecodingOptions.__doc__).params}
    for field in dataclasses.fields(DecodingOptions):
        help_ = " ".join(helps[field.name].split())
        parser.add_argument(f"--{field.name}", type=types[field.name] | None, default=None, help=help_)


def pop_given(values: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Takes the decoding options out of parsed flags.

    Args:
        values: dict of flag to value, from which the fields of `DecodingOptions` are removed.

    Returns:
        Dictionary of the options that were given.

    Raises:
        InputError: if they are not valid together; what depends on the model is checked later.
    """
    fields = {field.name: values.pop(field.name, None) for field in dataclasses.fields(DecodingOptions)}
    given = {name: value for name, value in fields.items() if value is not None}
    # An exported model may have its own `num_samples`: `--flip_test true` alone is valid for it.
    DecodingOptions.resolve(**({"num_samples": 2} if given.get("flip_test") else {}) | given)
    return given
