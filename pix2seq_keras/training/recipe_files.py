"""The YAML files of recipes: those of the package by name, and those of users. Free of TensorFlow, as recipes are."""

from importlib import resources
from pathlib import Path

import yaml

from pix2seq_keras.errors import InputError
from pix2seq_keras.training.recipe import Recipe, renamed_fields


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
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        renamed = renamed_fields(values)
    except (yaml.YAMLError, AttributeError, ValueError, OSError):
        return str(path)  # the parser says what is wrong with it
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
    try:
        return Recipe.from_dict(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError(f"There is no recipe at {path}.") from error
    except (yaml.YAMLError, TypeError, AttributeError, ValueError, OSError) as error:
        raise InputError(f"{path} is not a recipe: {error}") from error


def _folder():
    return Path(str(resources.files("pix2seq_keras"))) / "recipes"
