"""Any `tensorflow_datasets` data set that has boxes, opened as a `Source`; so are the digit scenes.

A data set is read from its prepared files, at any index; its builder's code is not needed and nothing is ever
downloaded. Only the digit scenes, which are drawn on the spot, are prepared when they are missing.
"""

import difflib
import os
import re
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import ImageError, read_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.digits.builder import DigitScenes
from pix2seq_keras.data.sources.digits.scenes import SIZES
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.data.sources.tfds.index import read_index
from pix2seq_keras.data.sources.tfds.mapping import TfdsMapping, find_fields, look_up, to_rel_yxyx
from pix2seq_keras.data.sources.tfds.tfrecords import TFRecords
from pix2seq_keras.errors import InputError

CATEGORIES_KEY = "pix2seq_categories"  # in metadata.json: the dataset ids, which TFDS's labels do not have
_AS_COCO = TfdsMapping()


def data_dir():
    """The folder that holds TFDS data: `PIX2SEQ_DATA_DIR`, or `None` for TFDS's own default."""
    folder = os.environ.get("PIX2SEQ_DATA_DIR")
    return str(Path(folder).expanduser()) if folder else None


def open_digits(size="96", split="train"):
    """Opens the digit scenes, drawing the split first if that has not been done. No other split is drawn.

    Args:
        size: str, "96" or "64", see `digit_scenes.SIZES`.
        split: str, "train", "val" or "test", or a part of one in TFDS's notation, such as "train[:80%]".

    Returns:
        A `Source` of ten classes, "0"…"9", with dataset ids 1…10. Its example `index` is scene `index`.

    Raises:
        InputError: There is no such size or split, or the data directory cannot be written.
    """
    if size not in SIZES:
        raise InputError(f"Digit scenes come in the sizes {_listed(SIZES)}. Received: size={size!r}")
    splits = SIZES[size].num_scenes
    match = re.fullmatch(r"(\w+)(\[.*\])?", split)
    if not match or match[1] not in splits:
        raise InputError(
            f"The digit scenes have the splits {_listed(splits)}, or a part of one such as 'train[:80%]'. "
            f"Received: split={split!r}"
        )
    builder = DigitScenes(config=f"{size}_{match[1]}", data_dir=data_dir())
    builder.download_and_prepare()
    return _open_builder(builder, "digits" if size == "96" else f"digits:{size}", split)


def open_tfds(name, split, mapping=_AS_COCO):
    """Opens a prepared TFDS data set whose images have an `objects` feature with `bbox` and `label`.

    `is_crowd` (or VOC's `is_difficult`) and `area` are used where they exist; otherwise nothing is a crowd and an area
    is its box's. Dataset ids are TFDS's labels + 1. Image ids are "image/id" where that is a number that never
    repeats, else the index + 1.

    Args:
        name: str, "NAME", "NAME/CONFIG" or either with ":VERSION", as in `tfds.load`.
        split: str, A split's name, or a part of one in TFDS's notation, such as "train[:80%]".
        mapping: `Tfdsdict`, which features are meant, where they have other names.

    Returns:
        A `Source`.

    Raises:
        InputError: The data set is unknown or not prepared, or has no such split or features.

    Example:
    >>> source = open_tfds("coco/2017", "validation")
    """
    if re.split(r"[/:]", name)[0] == DigitScenes.name:
        try:
            builder = tfds.builder(name, data_dir=data_dir())
        except (ValueError, AssertionError) as error:
            configs = _listed(DigitScenes.builder_configs)
            raise InputError(f"The digit scenes have the configurations {configs}. Received: {name!r}") from error
        builder.download_and_prepare()
    else:
        try:
            builder = read_only_builder.builder_from_files(name, data_dir=data_dir())
        except (tfds.core.DatasetNotFoundError, ValueError) as error:
            raise InputError(_why_not_found(name)) from error
    return _open_builder(builder, f"tfds:{name}", split, mapping)


def open_tfrecord(directory, split):
    """Opens a folder of TFRecord (or ArrayRecord) files that describes itself, as `convert_source` and TFDS write it.

    Args:
        directory: path, the folder that holds `dataset_info.json` and `features.json` beside the records.
        split: str, A split's name, or a part of one in TFDS's notation.

    Returns:
        A `Source`. Dataset ids are those the folder was written with, or else TFDS's labels + 1.

    Raises:
        InputError: The folder is none such, or names records outside itself.
    """
    folder = Path(directory).expanduser()
    if not (folder / "dataset_info.json").is_file() or not (folder / "features.json").is_file():
        raise InputError(
            f"{str(directory)!r} has no dataset_info.json and features.json: it is no folder that pix2seq data convert "
            "or tensorflow_datasets wrote."
        )
    try:
        builder = read_only_builder.builder_from_directory(folder)
        files = [part.filename for info in builder.info.splits.values() for part in info.file_instructions]
        table = (builder.info.metadata or {}).get(CATEGORIES_KEY)
        categories = None if table is None else Categories.from_config(table)
    # These files are somebody else's: TFDS stumbles over them in as many ways as they can be wrong.
    except Exception as error:
        what = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"The description of the data set in {str(directory)!r} is damaged ({what}).") from error
    for file in files:
        if not Path(file).resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{str(directory)!r} names records outside the folder: {str(file)!r:.200}.")
    source = _open_builder(builder, f"tfrecord:{os.fspath(directory)}", split, _AS_COCO)
    if categories is not None and categories.names == source.categories.names:
        source.categories = categories
    return source


def _open_builder(builder, name, split, mapping=_AS_COCO):
    features = builder.info.features
    fields = find_fields(features, mapping, name)
    records = _open_records(builder, name, split)
    try:
        index = read_index(records, builder, split, fields)
    except (OSError, RuntimeError) as error:  # RuntimeError is ArrayRecord's word for damage
        raise InputError(
            f"The files of {name!r} in {builder.data_dir} are damaged or missing ({error}). "
            "Delete that folder and prepare the data set again."
        ) from error
    issues = Issues()
    if not index.object_counts.any():
        issues.add("no annotations", f"{name} ({split})", f"The split {split!r} of {name!r} has no objects.")
    decoders = tfds.decode.SkipDecoding()
    for key in reversed(fields.image):
        decoders = {key: decoders}

    def label(place):
        return f"{index.image_ids[place]} of {name} ({split})"

    def read_record(place):
        try:
            serialised = records[int(place)]
        except (OSError, RuntimeError) as error:
            raise ImageError(f"The record of image {label(place)} cannot be read ({error}).") from error
        return features.deserialize_example_np(serialised, decoders=decoders)

    def encoded(place):
        return look_up(read_record(place), fields.image)

    def objects(record, place, height, width):
        boxes = to_rel_yxyx(look_up(record, fields.bbox), fields.box_format, height, width)  # (n, 4)
        if fields.label is None:
            classes = np.zeros(len(boxes), np.int32)
        else:
            classes = np.asarray(look_up(record, fields.label), np.int32)
        if fields.area is not None:
            area = np.asarray(look_up(record, fields.area), np.float32)
        else:
            sides = (boxes[:, 2:] - boxes[:, :2]) * np.array([height, width], np.float32)  # (n, 2)
            area = sides.prod(-1)
        no_crowds = np.zeros(len(boxes), bool)
        is_crowd = no_crowds if fields.is_crowd is None else np.asarray(look_up(record, fields.is_crowd), bool)
        known = (classes >= 0) & (classes < len(fields.categories))  # TFDS writes -1 where a label is not known
        return {
            "image_id": index.image_ids[place],
            "boxes": boxes[known],
            "classes": classes[known],
            "is_crowd": is_crowd[known],
            "area": area[known],
        }

    def read(place):
        record = read_record(place)
        image = read_image(look_up(record, fields.image), name=label(place))  # (H, W, 3)
        return {"image": image, **objects(record, place, *image.shape[:2])}

    def read_objects(place):
        return objects(read_record(place), place, *index.sizes[place].tolist())

    return Source(
        name=name,
        split=split,
        categories=fields.categories,
        image_ids=index.image_ids,
        issues=issues,
        read=read,
        annotated=index.object_counts > 0,
        object_counts=index.object_counts,
        sizes=index.sizes,
        read_objects=read_objects,
        encoded=encoded,
    )


def _open_records(builder, name, split):
    """The serialised records of a split: a sequence of bytes, with `__getitems__` for many at once."""
    splits = builder.info.splits
    if not splits:
        raise InputError(f"{name!r} at {builder.data_dir} is incomplete. Delete that folder and prepare it again.")
    try:
        if not splits[split].file_instructions:
            raise InputError(f"{split!r} of {name!r} holds no images.")
    except (KeyError, ValueError, AssertionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{name!r} has the splits {_listed(splits)}, or parts of them such as "
            f"{next(iter(splits)) + '[:80%]'!r}. Received: split={split!r}"
        ) from error
    try:
        return builder.as_data_source(split).data_source
    except NotImplementedError as error:
        file_format = builder.info.file_format.value
        if file_format != "tfrecord":
            raise InputError(
                f"{name!r} was prepared as {file_format}. Only array_record and tfrecord can be read."
            ) from error
        parts = splits[split].file_instructions
        return TFRecords((os.fspath(part.filename), part.skip, part.take) for part in parts)


def _why_not_found(name):
    """A sentence on a data set that is not on this disk: unknown to TFDS, or known and how to prepare it."""
    folder = data_dir() or tfds.core.constants.DATA_DIR
    dataset = re.split(r"[/:]", name)[0]
    known = [*tfds.list_builders(with_community_datasets=False), DigitScenes.name]
    prepared = sorted({path.parents[1].relative_to(folder) for path in Path(folder).glob("*/**/dataset_info.json")})
    there = f" Prepared under {folder}: {_listed(map(str, prepared)) or 'nothing'}."
    if dataset not in known:
        alike = difflib.get_close_matches(dataset, known)
        return f"TFDS has no data set {dataset!r}." + (f" Did you mean {_listed(alike)}?" if alike else "") + there
    return (
        f"The TFDS data set {name!r} is not prepared.{there} Prepare it once (this downloads it) with "
        f"python -c \"import tensorflow_datasets as tfds; tfds.builder('{name}', data_dir='{folder}')"
        ".download_and_prepare(file_format='array_record')\""
    )


def _listed(names):
    return ", ".join(repr(name) for name in names)
