"""Any `tensorflow_datasets` data set that has boxes, opened as a `Source`; so are the digit scenes.

A data set is read from its prepared files, at any index; its builder's code is not needed and nothing is ever
downloaded. Only the digit scenes, which are drawn on the spot, are prepared when they are missing.
"""

import difflib
import hashlib
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core import read_only_builder

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import PictureError, read_picture
from pix2seq_keras.data.sources.digit_scenes import SIZES
from pix2seq_keras.data.sources.digits_builder import DigitScenes
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.data.sources.tfrecords import TFRecords
from pix2seq_keras.errors import InputError

_RECORDS_AT_ONCE = 1000


def data_dir() -> str | None:
    """The folder that holds TFDS data: `PIX2SEQ_DATA_DIR`, or `None` for TFDS's own default."""
    folder = os.environ.get("PIX2SEQ_DATA_DIR")
    return str(Path(folder).expanduser()) if folder else None


def open_digits(size: str = "96", split: str = "train") -> Source:
    """Opens the digit scenes, drawing the split first if that has not been done. No other split is drawn.

    Args:
        size: "96" or "64", see `digit_scenes.SIZES`.
        split: "train", "val" or "test", or a part of one in TFDS's notation, such as "train[:80%]".

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


def open_tfds(name: str, split: str) -> Source:
    """Opens a prepared TFDS data set whose pictures have an `objects` feature with `bbox` and `label`.

    `is_crowd` and `area` are used where they exist; otherwise nothing is a crowd and an area is its box's.
    Dataset ids are TFDS's labels + 1. Picture ids are "image/id" where that is a number that never repeats,
    else the index + 1.

    Args:
        name: "NAME", "NAME/CONFIG" or either with ":VERSION", as in `tfds.load`.
        split: A split's name, or a part of one in TFDS's notation, such as "train[:80%]".

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
    return _open_builder(builder, f"tfds:{name}", split)


def _open_builder(builder: tfds.core.DatasetBuilder, name: str, split: str) -> Source:
    features = builder.info.features
    _check_features(features, name)
    records = _open_records(builder, name, split)
    try:
        image_ids, object_counts = _read_index(records, builder, split)
    except (OSError, RuntimeError) as error:  # RuntimeError is ArrayRecord's word for damage
        raise InputError(
            f"The files of {name!r} in {builder.data_dir} are damaged or missing ({error}). "
            "Delete that folder and prepare the data set again."
        ) from error
    findings = Findings()
    if not object_counts.any():
        findings.add("no annotations at all", f"{name} ({split})", f"The split {split!r} of {name!r} has no objects.")
    objects = features["objects"].feature
    still_encoded = {"image": tfds.decode.SkipDecoding()}
    has_crowds, has_areas = "is_crowd" in objects, "area" in objects

    def read(index: int) -> dict:
        label = f"{image_ids[index]} of {name} ({split})"
        try:
            serialised = records[int(index)]
        except (OSError, RuntimeError) as error:
            raise PictureError(f"The record of picture {label} cannot be read ({error}).") from error
        record = features.deserialize_example_np(serialised, decoders=still_encoded)
        image = read_picture(record["image"], name=label)  # (H, W, 3)
        found = record["objects"]
        num_objects = len(found["label"])
        boxes = np.asarray(found["bbox"], np.float32).reshape(num_objects, 4)
        if has_areas:
            area = np.asarray(found["area"], np.float32)
        else:
            sides = (boxes[:, 2:] - boxes[:, :2]) * np.array(image.shape[:2], np.float32)  # (n, 2)
            area = sides.prod(-1)
        return {
            "image": image,
            "image_id": image_ids[index],
            "boxes": boxes,
            "classes": np.asarray(found["label"], np.int32),
            "is_crowd": np.asarray(found["is_crowd"], bool) if has_crowds else np.zeros(num_objects, bool),
            "area": area,
        }

    return Source(
        name=name,
        split=split,
        categories=Categories.from_names(objects["label"].names, first_id=1),
        image_ids=image_ids,
        findings=findings,
        read=read,
        annotated=object_counts > 0,
        object_counts=object_counts,
    )


def _check_features(features, name: str) -> None:
    """Says which features a `Source` needs and the data set lacks."""
    needs = "A detection data set needs the features 'image' and 'objects' with 'bbox' and 'label'"
    present = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    if not {"image", "objects"} <= set(present) or not isinstance(features["image"], tfds.features.Image):
        raise InputError(f"{needs}; {name!r} has {_listed(present) or type(features).__name__}.")
    objects = getattr(features["objects"], "feature", {})
    inside = sorted(objects) if isinstance(objects, tfds.features.FeaturesDict) else []
    if not {"bbox", "label"} <= set(inside):
        raise InputError(f"{needs}; the 'objects' of {name!r} have {_listed(inside) or 'nothing'}.")
    if not isinstance(objects["label"], tfds.features.ClassLabel) or objects["label"].names is None:
        raise InputError(f"The labels of {name!r} have no names: 'label' must be a ClassLabel.")
    box_format = getattr(objects["bbox"], "bbox_format", None)
    if box_format is not None and box_format.value != "REL_YXYX":
        raise InputError(f"The boxes of {name!r} must be in the format REL_YXYX. Received: {box_format.value}")


def _open_records(builder: tfds.core.DatasetBuilder, name: str, split: str):
    """The serialised records of a split: a sequence of bytes, with `__getitems__` for many at once."""
    splits = builder.info.splits
    if not splits:
        raise InputError(f"{name!r} at {builder.data_dir} is incomplete. Delete that folder and prepare it again.")
    try:
        if not splits[split].file_instructions:
            raise InputError(f"{split!r} of {name!r} holds no pictures.")
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


def _read_index(records, builder: tfds.core.DatasetBuilder, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Two int64 `(N,)` arrays: the pictures' ids, and how many objects they have that are no crowds.

    They need a pass over all records, though not over the pixels, so they are kept beside the data, named by
    what they came from.
    """
    parts = builder.info.splits[split].file_instructions
    stats = [Path(part.filename).stat() for part in parts]
    origin = repr(
        [
            (Path(part.filename).name, part.skip, part.take, stat.st_size, stat.st_mtime_ns)
            for part, stat in zip(parts, stats, strict=True)
        ]
    )
    kept = Path(builder.data_dir) / f"pix2seq_index_{hashlib.sha256(origin.encode()).hexdigest()[:16]}.npz"
    try:
        with np.load(kept) as arrays:
            return arrays["image_ids"], arrays["object_counts"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or unreadable: made again
    image_ids, object_counts = _scan(records, builder.info.features)
    temporary = kept.with_name(f".{kept.stem}.{os.getpid()}.npz")
    try:
        np.savez(temporary, image_ids=image_ids, object_counts=object_counts)
        temporary.replace(kept)
    except OSError:
        temporary.unlink(missing_ok=True)  # a read-only data set only costs the pass again
    return image_ids, object_counts


def _scan(records, features) -> tuple[np.ndarray, np.ndarray]:
    wanted = {"objects/label": tf.io.VarLenFeature(tf.int64)}
    if "is_crowd" in features["objects"].feature:
        wanted["objects/is_crowd"] = tf.io.VarLenFeature(tf.int64)
    has_ids = "image/id" in features and np.issubdtype(features["image/id"].np_dtype, np.integer)
    if has_ids:
        wanted["image/id"] = tf.io.FixedLenFeature((), tf.int64)

    image_ids, object_counts = [], []
    for start in range(0, len(records), _RECORDS_AT_ONCE):
        indices = range(start, min(start + _RECORDS_AT_ONCE, len(records)))
        # TFDS would build Python objects record by record; this parser reads the few fields wanted in bulk.
        parsed = tf.io.parse_example(records.__getitems__(list(indices)), wanted)
        rows = parsed["objects/label"].indices.numpy()[:, 0]
        crowds = parsed["objects/is_crowd"].values.numpy() if "objects/is_crowd" in parsed else np.zeros(len(rows))
        object_counts.append(np.bincount(rows[crowds == 0], minlength=len(indices)))
        if has_ids:
            image_ids.append(parsed["image/id"].numpy())
    object_counts = np.concatenate(object_counts)
    image_ids = np.concatenate(image_ids) if has_ids else np.zeros(0, np.int64)
    if len(np.unique(image_ids)) != len(object_counts):
        image_ids = np.arange(1, len(object_counts) + 1, dtype=np.int64)
    return image_ids, object_counts


def _why_not_found(name: str) -> str:
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


def _listed(names) -> str:
    return ", ".join(repr(name) for name in names)
