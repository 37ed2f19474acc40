"""`pix2seq data …`: a look at data before training, and other formats for it."""

import dataclasses
import sys
from pathlib import Path

import jsonargparse

from pix2seq_keras.atomic_files import require_writable_file, require_writable_folder, write_json
from pix2seq_keras.commands.train import recipe_of
from pix2seq_keras.errors import InputError
from pix2seq_keras.training import recipe as recipes
from pix2seq_keras.training.recipe import Recipe


def check(
    source: str,
    split: str | None = None,
    max_objects: int | None = None,
    recipe: str | None = None,
    html: str | None = None,
    json: str | None = None,
    strict: bool = False,
):
    """Read all images of a source and tell what it holds, and every issue.

    The exit status is 0 where the source can be trained on, 2 where it cannot.

    Args:
        source: as --data.source of `pix2seq train` takes it
        split: such as train, or several: train,val; by default all it has
        max_objects: objects that a sequence holds; by default as --recipe says, or 100
        recipe: name or YAML file of the recipe to train by, for its sequence.max_objects
        html: file for the report as a page with plots and images
        json: file for the whole report, every issue in it
        strict: exit with status 1 if anything is irregular
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
        print(f"pix2seq: {source} cannot be trained on.", file=sys.stderr)
        return 2
    return int(strict and report.num_issues > 0)


def convert(source: str, output: str, to: str, split: str = "train"):
    """Write a source in another format, without loss where the format can hold everything.

    Args:
        source: as --data.source of `pix2seq train` takes it
        output: folder to write, new or empty
        to: coco, voc, yolo or tfrecord
        split: such as train, or several: train,val; 'train=all[:80%],val=all[80%:]' names them anew
    """
    from pix2seq_keras.data.convert import FORMATS, convert_source, open_splits
    from pix2seq_keras.progress import progress_bar

    if to not in FORMATS:  # before minutes of opening
        raise InputError(f"Data can be converted to {', '.join(FORMATS)}. Received: --to {to}")
    splits = open_splits(source, split)
    with progress_bar(f"writing {to}", sum(map(len, splits.values()))) as advance:
        conversion = convert_source(splits, output, to, progress=lambda done: advance())
    for name, images in conversion.images.items():
        print(f"{name}: {images} images, {conversion.objects[name]} objects")
    for note in conversion.notes:
        print(f"not as it was: {note}")
    for one in splits.values():
        if len(one.issues):
            print(f"{len(one.issues)} issues in {one.name} {one.split}:\n{one.issues.summary()}")
    print(f"To read it: {conversion.source}")


def preview(recipe: Recipe, output: str = "preview.png", count: int = 12):
    """Draws the first images a training run would see, as it would see them, and their token sequences.

    Args:
        recipe: `Recipe`.
        output: PNG to write.
        count: images.
    """
    if count < 1:
        raise InputError(f"count must be at least 1. Received: count={count}")
    require_writable_folder(Path(output).absolute().parent)

    from pix2seq_keras.data import open_source
    from pix2seq_keras.data.pipeline import input_errors
    from pix2seq_keras.reports import save_training_gallery
    from pix2seq_keras.training.building import build_dataset, build_model

    source = open_source(recipe.data.source, recipe.data.train_split)
    model = build_model(recipe, source.categories, load_weights=False)
    # What stands at a position does not depend on the batch it is in: small ones, so that no more is read than shown.
    small = dataclasses.replace(recipe, batch_size=1, data=dataclasses.replace(recipe.data, service=None))
    with input_errors():
        examples = list(build_dataset(small, source, model).unbatch().take(count).as_numpy_iterator())
    names = source.categories.names
    save_training_gallery(output, examples, model.vocabulary, names, f"{source.name} {source.split}")
    print(f"{count} training images of {source.name} ({source.split}): {output}")
    if len(source.issues):
        print(f"{len(source.issues)} issues in {source.name} {source.split}:\n{source.issues.summary()}")


def preview_parser():
    """The parser of `preview`: every field of the recipe is a flag, as of `pix2seq train`."""
    parser = jsonargparse.ArgumentParser(
        description="Draw the first images a training run would see, with real (red) and noise (white) objects, and "
        "their token sequences; every field of the recipe is a flag."
    )
    parser.add_argument("--recipe", action=jsonargparse.ActionConfigFile, help="name or YAML file of the recipe")
    parser.add_argument("--output", type=str, default="preview.png", help="PNG to write")
    parser.add_argument("--count", type=int, default=12, help="how many images")
    parser.add_class_arguments(Recipe, as_group=False)
    return parser


def run_preview(options):
    """Previews as the parsed options of `preview_parser` say."""
    output, count = options.pop("output"), options.pop("count")
    if not options.pop("recipe", None):
        raise InputError(f"Name a recipe: --recipe with one of {', '.join(recipes.names())}, or a YAML file.")
    preview(recipe_of(options), output, count)
