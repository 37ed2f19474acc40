"""`pix2seq data …`: checks and previews data before training, and converts it to other formats."""

import dataclasses
from pathlib import Path

import jsonargparse

from pix2seq_keras.atomic_files import require_writable_file, require_writable_folder, write_json
from pix2seq_keras.commands.train import add_recipe_flags
from pix2seq_keras.data import formats
from pix2seq_keras.errors import InputError
from pix2seq_keras.terminal import say
from pix2seq_keras.training import recipe_files as recipes
from pix2seq_keras.training.recipe import Recipe


def check(
    source: str,
    split: str | None = None,
    max_objects: int | None = None,
    recipe: str | None = None,
    html: str | None = None,
    json: str | None = None,
    strict: bool = False,
) -> int:
    """Read all images of a source and report its content and every issue.

    The exit status is 0 if the source can be trained on and 2 if it cannot.

    Args:
        source: a source, as for --data.source of `pix2seq train`
        split: such as train, or several: train,val; by default all splits
        max_objects: the number of objects in a sequence; by default that of --recipe, or 100
        recipe: name or YAML file of the recipe to train with, for its sequence.max_objects
        html: file for the report as a page with plots and images
        json: file for the report with all issues
        strict: exit with status 1 if there is any issue
    """
    for path in filter(None, (html, json)):
        require_writable_file(Path(path))

    from pix2seq_keras.progress import progress_bar
    from pix2seq_keras.reports import check_source, print_data_report, write_data_page
    from pix2seq_keras.sequences import SequenceOptions

    if max_objects is None:
        sequence = SequenceOptions() if recipe is None else recipes.load(recipes.find(recipe)).sequence
        max_objects = sequence.max_objects
    splits = None if split is None else [name.strip() for name in split.split(",") if name.strip()]
    report = check_source(source, splits, max_objects, progress_bar)
    print_data_report(report)
    if html is not None:
        write_data_page(report, html)
    if json is not None:
        write_json(Path(json), report.to_dict())
    if report.blocking_issue() is not None:
        say(f"pix2seq: {source} cannot be trained on.", error=True)
        return 2
    return int(strict and report.num_issues > 0)


def convert(source: str, output: str, to: str, split: str = "train") -> None:
    """Write a source in another format. What the format cannot keep is reported at the end.

    Args:
        source: a source, as for --data.source of `pix2seq train`
        output: folder to write, new or empty
        to: one of {formats}
        split: such as train, or several: train,val; 'train=all[:80%],val=all[80%:]' gives them new names
    """
    formats.find_writable_format(to)  # opening a source can take minutes: errors come first

    from pix2seq_keras.data.convert import convert_source, open_splits
    from pix2seq_keras.progress import progress_bar

    splits = open_splits(source, split)
    with progress_bar(f"writing {to}", sum(map(len, splits.values()))) as advance:
        conversion = convert_source(splits, output, to, progress=lambda done: advance())
    for name, images in conversion.images.items():
        say(f"{name}: {images} images, {conversion.objects[name]} objects")
    for note in conversion.notes:
        say(f"changed: {note}")
    for opened in splits.values():
        if len(opened.issues):
            say(f"{len(opened.issues)} issues in {opened.name} {opened.split}:\n{opened.issues.summary()}")
    say(f"Source: {conversion.source}")


convert.__doc__ = convert.__doc__.format(formats=", ".join(formats.writable_formats()))  # its help


def preview(recipe: Recipe, output: str = "preview.png", count: int = 12) -> None:
    """Draws the first images of a training run, augmented as in training, and their token sequences.

    Args:
        recipe: `Recipe`, of the training run.
        output: str, the PNG file to write. Defaults to "preview.png".
        count: int, the number of images. Defaults to 12.

    Raises:
        InputError: if `count` is below 1, or the source cannot be used.
    """
    if count < 1:
        raise InputError(f"`--count` must be at least 1. Received: --count {count}")
    require_writable_folder(Path(output).absolute().parent)

    from pix2seq_keras.data import open_source
    from pix2seq_keras.data.pipeline import input_errors
    from pix2seq_keras.reports import save_training_gallery
    from pix2seq_keras.training.building import build_dataset, build_model

    source = open_source(recipe.data.source, recipe.data.train_split)
    model = build_model(recipe, source.categories, load_weights=False)
    # The example at a position does not depend on the batch size: with batches of one, only `count` images are read.
    small = dataclasses.replace(recipe, batch_size=1, data=dataclasses.replace(recipe.data, service=None))
    with input_errors():
        examples = list(build_dataset(small, source, model).unbatch().take(count).as_numpy_iterator())
    names = source.categories.names
    save_training_gallery(output, examples, model.vocabulary, names, f"{source.name} {source.split}")
    say(f"{count} training images of {source.name} ({source.split}): {output}")
    if len(source.issues):
        say(f"{len(source.issues)} issues in {source.name} {source.split}:\n{source.issues.summary()}")


def preview_parser() -> jsonargparse.ArgumentParser:
    """Makes the parser of `preview`: every field of the recipe is a flag, as for `pix2seq train`.

    Returns:
        `jsonargparse.ArgumentParser`.
    """
    parser = jsonargparse.ArgumentParser(
        description="Draw the first images of a training run with real (red) and noise (white) objects and their token "
        "sequences. Every field of the recipe is a flag."
    )
    parser.add_argument("--output", type=str, default="preview.png", help="PNG to write")
    parser.add_argument("--count", type=int, default=12, help="how many images")
    add_recipe_flags(parser)
    return parser


def run_preview(options: jsonargparse.Namespace) -> None:
    """Runs `preview`.

    Args:
        options: `jsonargparse.Namespace`, parsed by `preview_parser`.

    Raises:
        InputError: if there is no recipe, see also `preview`.
    """
    output, count = options.pop("output"), options.pop("count")
    if not options.pop("recipe", None):
        raise InputError(f"`--recipe` is required: one of {', '.join(recipes.names())}, or a YAML file.")
    preview(Recipe.from_dict(options.as_dict()), output, count)
