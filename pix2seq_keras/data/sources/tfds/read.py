"""Opens `tensorflow_datasets` data sets with boxes, and TFRecord files that describe themselves.

A data set is read from its prepared files, at any index; the code of its builder is not needed, and nothing is
downloaded. Only the digit scenes, which are drawn and not downloaded, are prepared if they are missing.
"""

import difflib
import os
import re
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.digits.builder import DigitScenes
from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.data.sources.tfds.builder_source import DEFAULT_MAPPING, data_dir, source_from_builder
from pix2seq_keras.data.sources.tfds.mapping import parse_mapping
from pix2seq_keras.errors import InputError

CATEGORIES_KEY = "pix2seq_categories"  # in metadata.json: the data set ids, which TFDS's labels do not have


def open_location(location, split):
    """Opens one split of a source.

    Args:
        location: str, "NAME[/CONFIG]" or "NAME[/CONFIG]?MAPPING", see `open_tfds` and `TfdsMapping`.
        split: str, a split or a part of one in TFDS's notation.

    Returns:
        `Source`.

    Raises:
        InputError: if it cannot be opened.
    """
    name, _, mapping = location.partition("?")
    return open_tfds(name, split, parse_mapping(mapping))


def open_tfds(name, split, mapping=DEFAULT_MAPPING):
    """Opens a prepared TFDS data set whose images have an `objects` feature with `bbox` and `label`.

    `is_crowd` (or VOC's `is_difficult`) and `area` are used if they exist; otherwise there are no crowds and areas are
    those of the boxes. Data set ids are TFDS's labels + 1. Image ids are "image/id" if that is a unique number, else
    the index + 1.

    Args:
        name: str, "NAME", "NAME/CONFIG" or either with ":VERSION", as in `tfds.load`.
        split: str, a split's name, or a part of one in TFDS's notation, such as "train[:80%]".
        mapping: `TfdsMapping`, for features with other names. Defaults to the names of TFDS's `coco`.

    Returns:
        `Source`.

    Raises:
        InputError: if the data set is unknown or not prepared, or has no such split or features.

    Example:
        >>> source = open_tfds("coco/2017", "validation")
    """
    if re.split(r"[/:]", name)[0] == DigitScenes.name:
        try:
            builder = tfds.builder(name, data_dir=data_dir())
        except (ValueError, AssertionError) as error:
            configs = quote_all(DigitScenes.builder_configs)
            raise InputError(f"The digit scenes have the configurations {configs}. Received: {name!r}") from error
        builder.download_and_prepare()
    else:
        try:
            builder = read_only_builder.builder_from_files(name, data_dir=data_dir())
        except (tfds.core.DatasetNotFoundError, ValueError) as error:
            raise InputError(_not_found_message(name)) from error
    return source_from_builder(builder, f"tfds:{name}", split, mapping)


def open_tfrecord(directory, split):
    """Opens a folder of TFRecord (or ArrayRecord) files that describes itself, as `convert_source` and TFDS write it.

    Args:
        directory: path, the folder with `dataset_info.json` and `features.json` beside the records.
        split: str, a split's name, or a part of one in TFDS's notation.

    Returns:
        `Source`. Data set ids are those that the folder was written with, or else TFDS's labels + 1.

    Raises:
        InputError: if the folder has other content, or names records outside itself.
    """
    folder = Path(directory).expanduser()
    if not (folder / "dataset_info.json").is_file() or not (folder / "features.json").is_file():
        raise InputError(
            f"A tfrecord source must be a folder with dataset_info.json and features.json, as `pix2seq data convert` "
            f"and tensorflow_datasets write it. Received: {str(directory)!r}"
        )
    try:
        builder = read_only_builder.builder_from_directory(folder)
        files = [part.filename for info in builder.info.splits.values() for part in info.file_instructions]
        table = (builder.info.metadata or {}).get(CATEGORIES_KEY)
        categories = None if table is None else Categories.from_config(table)
    # TFDS raises many kinds of errors for damaged files.
    except Exception as error:
        what = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"The description of the data set in {str(directory)!r} is damaged ({what}).") from error
    for file in files:
        if not Path(file).resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{str(directory)!r} names records outside the folder: {str(file)!r:.200}.")
    source = source_from_builder(builder, f"tfrecord:{os.fspath(directory)}", split)
    if categories is not None and categories.names == source.categories.names:
        source.categories = categories
    return source


def _not_found_message(name):
    """The message for a data set that is not on this disk: unknown to TFDS, or how to prepare it."""
    folder = data_dir() or tfds.core.constants.DATA_DIR
    dataset = re.split(r"[/:]", name)[0]
    known = [*tfds.list_builders(with_community_datasets=False), DigitScenes.name]
    prepared = sorted({path.parents[1].relative_to(folder) for path in Path(folder).glob("*/**/dataset_info.json")})
    there = f" Prepared under {folder}: {quote_all(map(str, prepared)) or 'nothing'}."
    if dataset not in known:
        alike = difflib.get_close_matches(dataset, known)
        return f"TFDS has no data set {dataset!r}." + (f" Did you mean {quote_all(alike)}?" if alike else "") + there
    return (
        f"The TFDS data set {name!r} is not prepared.{there} Prepare it once (this downloads it) with "
        f"python -c \"import tensorflow_datasets as tfds; tfds.builder('{name}', data_dir='{folder}')"
        ".download_and_prepare(file_format='array_record')\""
    )
