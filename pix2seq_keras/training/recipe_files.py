"""The YAML files of recipes: those of the package by name, and those of users. Free of TensorFlow, as recipes are."""

import dataclasses
from importlib import resources
from pathlib import Path

import yaml

from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.errors import InputError
from pix2seq_keras.training.recipe import Recipe, renamed_fields
from pix2seq_keras.untrusted import MEGABYTE, parse_yaml, read_file

_MAX_BYTES = MEGABYTE // 4  # a recipe has some kilobytes, and PyYAML is slow


def names():
    """The recipes of the package: sorted list of str."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def find(recipe):
    """The path of a recipe's YAML file.

    Args:
        recipe: str, a name of `names()`, or the path of a file.

    Returns:
        `pathlib.Path`.

    Raises:
        InputError: if there is no such recipe; the message lists those of the package.
    """
    for path in (_folder() / f"{recipe}.yaml", Path(recipe)):
        if path.is_file():
            return path
    raise InputError(f"There is no recipe {recipe!r}. Use one of {', '.join(names())}, or the path of a YAML file.")


def config_text(path):
    """What a parser of flags is given for a recipe's file.

    Args:
        path: `pathlib.Path`, of `find`.

    Returns:
        str: the path; or, of a recipe that version 0.1.0 wrote, YAML text with today's names of its fields.

    Raises:
        InputError: if the file is not a recipe. Fields that are unknown or of a wrong type are left to the parser.
    """
    values = _read(path)
    renamed = renamed_fields(values)
    return str(path) if renamed is values else yaml.safe_dump(renamed, allow_unicode=True)


def load(path):
    """Reads the recipe of a YAML file, such as the recipe.yaml of a run folder.

    Args:
        path: str or path.

    Returns:
        `Recipe`.

    Raises:
        InputError: if the file is missing or not a recipe.
    """
    if not Path(path).exists():
        raise InputError(f"There is no recipe at {path}.")
    values = _read(Path(path))
    try:
        return Recipe.from_dict(values)
    except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise InputError(f"{path} is not a recipe: {error}") from error


def _read(path):
    """The mapping in a file: of plain values, and with mappings where a recipe has parts.

    The parser of flags would expand aliases, and take text in place of a part as the name of another file to read.
    """
    try:
        values = parse_yaml(read_file(path, _MAX_BYTES, "A recipe"), "it")
        if not isinstance(values, dict):
            raise InputError(f"it must be a mapping of fields. Received: {short_repr(values)}")
        for part in dataclasses.fields(Recipe):
            if dataclasses.is_dataclass(part.default_factory):
                _require_mapping(part.name, values.get(part.name, {}))
        _require_mapping("evaluation.decoding", values.get("evaluation", {}).get("decoding", {}))
        return values
    except InputError as error:
        raise InputError(f"{path} is not a recipe: {error}") from error


def _require_mapping(name, value):
    if not isinstance(value, dict):
        raise InputError(f"`{name}` must be a mapping of fields. Received: {name}={short_repr(value)}")


def _folder():
    return Path(str(resources.files("pix2seq_keras"))) / "recipes"
