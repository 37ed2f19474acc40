"""`pix2seq train`, and the flags that describe a recipe."""

import dataclasses
import itertools
from pathlib import Path

import jsonargparse

from pix2seq_keras.decoding.options import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.training import recipe_files as recipes
from pix2seq_keras.training.recipe import Recipe

SHORT_FLAGS = {"--model": "--model.preset", "--weights": "--model.weights"}


def parser() -> jsonargparse.ArgumentParser:
    """Makes the parser, in which every field of the recipe is a flag.

    Returns:
        `jsonargparse.ArgumentParser`.
    """
    parser = jsonargparse.ArgumentParser(
        description=f"Train a model by a recipe ({', '.join(recipes.names())}, or a YAML file). Every field of the "
        "recipe is a flag."
    )
    parser.add_argument("--output", type=str, required=True, help="folder of the run")
    parser.add_argument(
        "--resume", action="store_true", help="continue the run in --output by its own recipe; --steps may be raised"
    )
    add_recipe_flags(parser)
    return parser


def add_recipe_flags(parser: jsonargparse.ArgumentParser) -> None:
    """Adds `--recipe` and a flag for every field of the recipe.

    Args:
        parser: jsonargparse.ArgumentParser.
    """
    parser.add_argument("--recipe", action=jsonargparse.ActionConfigFile, help="name or YAML file of the recipe")
    parser.add_class_arguments(Recipe, as_group=False)
    # The default instance has an object as its sampler, of which jsonargparse would keep the parameters only.
    defaults = {field.name: field.default for field in dataclasses.fields(DecodingOptions)}
    parser.set_defaults({"evaluation.decoding.sampler": defaults["sampler"]})


def expand_arguments(arguments: list[str]) -> list[str]:
    """Replaces a recipe's name by its file, and short flags by those of the parser.

    Args:
        arguments: list of str, what follows the command.

    Returns:
        List of str. `--recipe FILE` comes first, so that all other flags override it, wherever it was; with `--resume`
        and no `--recipe`, that is the run's own. `--model REF` and `--weights PATH` have become `--model.preset` and
        `--model.weights`.

    Raises:
        InputError: if there is no such recipe.
    """
    rest, recipe = [], []
    values = iter(arguments)
    for value in values:
        if value == "--recipe":
            recipe = ["--recipe", recipes.config_text(recipes.find(next(values, "")))]
        elif value.startswith("--recipe="):
            recipe = ["--recipe", recipes.config_text(recipes.find(value.removeprefix("--recipe=")))]
        else:
            flag, equals, given = value.partition("=")
            rest.append(SHORT_FLAGS.get(flag, flag) + equals + given)
    return [*(recipe or _recipe_of_run(rest)), *rest]


def _recipe_of_run(arguments):
    """The recipe of the run to resume, so that `--resume --steps 2000` changes that and no other field."""
    if "--resume" not in arguments:
        return []
    outputs = [value.partition("=")[2] for value in arguments if value.startswith("--output=")]
    outputs += [after for flag, after in itertools.pairwise(arguments) if flag == "--output"]
    file = Path(outputs[-1]) / "recipe.yaml" if outputs else None
    # A folder without a run is refused when the run begins.
    return ["--recipe", recipes.config_text(file)] if file is not None and file.is_file() else []


def run(options: jsonargparse.Namespace) -> None:
    """Trains by the parsed options.

    Args:
        options: jsonargparse.Namespace, of `parser`.

    Raises:
        InputError: if there is no recipe, or as `pix2seq_keras.training.train`.
    """
    output, resume = options.pop("output"), options.pop("resume")
    named = options.pop("recipe", None)
    if not named and not resume:
        raise InputError(
            f"--recipe is required without --resume. Received: neither. Give one of {', '.join(recipes.names())}, or a "
            "YAML file."
        )
    recipe = Recipe.from_dict(options.as_dict())
    if resume and not named and recipe == Recipe():
        recipe = None  # no flag was given, so the run's own recipe is used

    from pix2seq_keras.training import train

    train(recipe, output, resume)
