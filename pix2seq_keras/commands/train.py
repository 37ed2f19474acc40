"""`pix2seq train`."""

import jsonargparse

from pix2seq_keras.errors import InputError
from pix2seq_keras.training import recipe as recipes
from pix2seq_keras.training.recipe import Recipe

SHORT_FLAGS = {"--model": "--model.preset", "--weights": "--model.weights"}


def parser():
    """The parser: every field of the recipe is a flag."""
    parser = jsonargparse.ArgumentParser(
        description=f"Train a model by a recipe ({', '.join(recipes.names())}, or a YAML file); every field of the "
        "recipe is a flag."
    )
    parser.add_argument("--recipe", action=jsonargparse.ActionConfigFile, help="name or YAML file of the recipe")
    parser.add_argument("--output", type=str, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in --output, as its own recipe says")
    parser.add_class_arguments(Recipe, as_group=False)
    return parser


def in_the_parsers_words(arguments):
    """`--recipe NAME` becomes `--recipe FILE` right after `train`, so that every other flag overrides it.

    `--model REF` and `--weights PATH` stand for `--model.preset` and `--model.weights`.
    """
    rest, recipe = [], []
    values = iter(arguments)
    for value in values:
        if value == "--recipe":
            recipe = ["--recipe", str(recipes.find(next(values, "")))]
        elif value.startswith("--recipe="):
            recipe = ["--recipe", str(recipes.find(value.removeprefix("--recipe=")))]
        else:
            flag, equals, given = value.partition("=")
            rest.append(SHORT_FLAGS.get(flag, flag) + equals + given)
    return [*recipe, *rest]


def run(options):
    """Trains as the parsed options of `parser` say."""
    output, resume = options.pop("output"), options.pop("resume")
    named = options.pop("recipe", None)
    if not named and not resume:
        raise InputError(f"Name a recipe: --recipe with one of {', '.join(recipes.names())}, or a YAML file.")
    recipe = recipe_of(options)
    if resume and not named and recipe == Recipe():
        recipe = None  # nothing was said: the run's own

    from pix2seq_keras.training import train

    train(recipe, output, resume)


def recipe_of(options):
    """The `Recipe` that parsed options, of its own fields only, describe."""
    parser = jsonargparse.ArgumentParser()
    parser.add_class_arguments(Recipe, "recipe")
    return parser.instantiate_classes(jsonargparse.Namespace(recipe=options)).recipe
