"""A `Source` made of a TFDS builder whose data set is prepared."""

import os
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from pix2seq_keras.data.images.read_image import ImageError, read_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.objects import first_of_equal
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.data.sources.split_choice import find_split, require_split
from pix2seq_keras.data.sources.split_parts import rename_parts
from pix2seq_keras.data.sources.tfds.index import read_index
from pix2seq_keras.data.sources.tfds.mapping import TfdsMapping, find_fields, look_up
from pix2seq_keras.data.sources.tfds.tfrecords import TFRecords
from pix2seq_keras.errors import InputError
from pix2seq_keras.keras_cv_adapter import convert_boxes

DEFAULT_MAPPING = TfdsMapping()  # the features of TFDS's `coco`


def data_dir():
    """The folder of TFDS data sets.

    Returns:
        str, the value of `PIX2SEQ_DATA_DIR`, or None for TFDS's own default.
    """
    folder = os.environ.get("PIX2SEQ_DATA_DIR")
    return str(Path(folder).expanduser()) if folder else None


def source_from_builder(builder, name, split, mapping=DEFAULT_MAPPING):
    """Makes a source of a prepared data set.

    Args:
        builder: `tfds.core.DatasetBuilder`, prepared.
        name: str, the source as the user wrote it.
        split: str, a split or a part of one in TFDS's notation.
        mapping: `TfdsMapping`, which features to use. Defaults to those of TFDS's `coco`.

    Returns:
        `Source`.

    Raises:
        InputError: if there is no such split, it has no suitable features, or its files are damaged or missing.
    """
    features = builder.info.features
    fields = find_fields(features, mapping, name)
    split = rename_parts(split, lambda part: find_split(part, builder.info.splits or {}) or part)
    records = _open_records(builder, name, split)
    try:
        index = read_index(records, builder, split, fields)
    except (OSError, RuntimeError) as error:  # ArrayRecord raises RuntimeError for damaged files
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
        written = boxes = np.asarray(look_up(record, fields.bbox), np.float32).reshape(-1, 4)  # (n, 4)
        if fields.box_format != "rel_yxyx":
            boxes = np.asarray(convert_boxes(boxes, fields.box_format, "rel_yxyx", image_shape=(height, width)))
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
        known = (classes >= 0) & (classes < len(fields.categories))  # TFDS writes -1 for an unknown label
        kept = np.flatnonzero(known)
        kept = kept[first_of_equal(written[kept], classes[kept], is_crowd[kept])]
        if len(kept) < known.sum():
            message = f"{known.sum() - len(kept)} objects have the class and the box of another one; dropped."
            issues.add("duplicate box", label(place), f"{label(place)}: {message}")
        return {
            "image_id": index.image_ids[place],
            "boxes": boxes[kept],
            "classes": classes[kept],
            "is_crowd": is_crowd[kept],
            "area": area[kept],
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
    """The serialised records of a split: a sequence of bytes, with `__getitems__` for several at once."""
    splits = builder.info.splits
    if not splits:
        raise InputError(f"{name!r} at {builder.data_dir} is incomplete. Delete that folder and prepare it again.")
    try:
        if not splits[split].file_instructions:
            raise InputError(f"The split {split!r} of {name!r} has no images.")
    except (KeyError, ValueError, AssertionError) as error:
        if isinstance(error, InputError):
            raise
        require_split(split, splits, name)
        raise
    try:
        return builder.as_data_source(split).data_source
    except NotImplementedError as error:
        file_format = builder.info.file_format.value
        if file_format != "tfrecord":
            raise InputError(
                f"A TFDS data set must be prepared as array_record or tfrecord. Received: {name!r} as {file_format}"
            ) from error
        parts = splits[split].file_instructions
        return TFRecords((os.fspath(part.filename), part.skip, part.take) for part in parts)
