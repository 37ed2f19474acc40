"""The index of a TFDS split: one pass over all records, saved beside the data."""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.sources.objects import first_of_equal

_VERSION = 2  # of what is saved
_RECORDS_AT_ONCE = 250  # in memory, with their encoded images


@dataclass(frozen=True)
class TfdsIndex:
    """What is known of the N records of a split before they are read.

    Args:
        image_ids: int64 array (N,), all different.
        object_counts: int64 array (N,), different objects that are no crowds.
        sizes: int32 array (N, 2), heights and widths of the upright images, 0 if the header cannot be read.
    """

    image_ids: np.ndarray
    object_counts: np.ndarray
    sizes: np.ndarray


def read_index(records, builder, split, fields):
    """Reads the saved index of a split, or makes and saves it.

    Making it reads all records, but decodes no pixels. Its file name is a hash of the data files and the fields.

    Args:
        records: sequence of bytes, the serialised records, with `__getitems__` for several at once.
        builder: `tfds.core.DatasetBuilder`, of the records.
        split: str, in TFDS's notation.
        fields: `TfdsFields`, the features of images and objects.

    Returns:
        `TfdsIndex`.

    Raises:
        OSError: if the records cannot be read.
        RuntimeError: if they are damaged.
    """
    parts = builder.info.splits[split].file_instructions
    stats = [Path(part.filename).stat() for part in parts]
    files = [
        (Path(part.filename).name, part.skip, part.take, stat.st_size, stat.st_mtime_ns)
        for part, stat in zip(parts, stats, strict=True)
    ]
    origin = repr(
        (_VERSION, files, fields.image, fields.label, fields.is_crowd, fields.id, fields.bbox, len(fields.categories))
    )
    saved = Path(builder.data_dir) / f"pix2seq_index_{hashlib.sha256(origin.encode()).hexdigest()[:16]}.npz"
    try:
        with np.load(saved) as arrays:
            index = TfdsIndex(arrays["image_ids"], arrays["object_counts"], arrays["sizes"])
        if len(index.image_ids) == len(index.object_counts) == len(index.sizes) == len(records):
            return index
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # missing or damaged: made again
    index = _scan(records, fields)
    temporary = saved.with_name(f".{saved.stem}.{os.getpid()}.npz")
    try:
        np.savez(temporary, image_ids=index.image_ids, object_counts=index.object_counts, sizes=index.sizes)
        temporary.replace(saved)
    except OSError:
        temporary.unlink(missing_ok=True)  # a read-only data set: the index is made each time
    return index


def _scan(records, fields):
    bbox, image = "/".join(fields.bbox), "/".join(fields.image)
    label = None if fields.label is None else "/".join(fields.label)
    wanted = {
        bbox: tf.io.VarLenFeature(tf.int64 if fields.box_is_integer else tf.float32),
        image: tf.io.FixedLenFeature((), tf.string, ""),
    }
    if label is not None:
        wanted[label] = tf.io.VarLenFeature(tf.int64)
    if fields.is_crowd is not None:
        wanted["/".join(fields.is_crowd)] = tf.io.VarLenFeature(tf.int64)
    if fields.id is not None:
        wanted["/".join(fields.id)] = tf.io.FixedLenFeature((), tf.int64)

    image_ids, object_counts, sizes = [], [], []
    for start in range(0, len(records), _RECORDS_AT_ONCE):
        indices = range(start, min(start + _RECORDS_AT_ONCE, len(records)))
        # TFDS would make Python objects of all fields; this parser reads only those needed, of many records at once.
        try:
            parsed = tf.io.parse_example(records.__getitems__(list(indices)), wanted)
        except tf.errors.OpError as error:
            raise RuntimeError(error.message[:200]) from error
        rows, boxes = parsed[bbox].indices.numpy()[::4, 0], parsed[bbox].values.numpy().reshape(-1, 4)
        classes = np.zeros(len(rows), np.int64) if label is None else parsed[label].values.numpy()
        known = (classes >= 0) & (classes < len(fields.categories))
        crowds = np.zeros(len(rows)) if fields.is_crowd is None else parsed["/".join(fields.is_crowd)].values.numpy()
        counted = np.flatnonzero((crowds == 0) & known)
        first = first_of_equal(boxes[counted].astype(np.float32), classes[counted], crowds[counted], rows[counted])
        object_counts.append(np.bincount(rows[counted[first]], minlength=len(indices)))
        sizes.extend(_size(data) for data in parsed[image].numpy())
        if fields.id is not None:
            image_ids.append(parsed["/".join(fields.id)].numpy())
    object_counts = np.concatenate(object_counts)
    image_ids = np.concatenate(image_ids) if image_ids else np.zeros(0, np.int64)
    if len(np.unique(image_ids)) != len(object_counts):
        image_ids = np.arange(1, len(object_counts) + 1, dtype=np.int64)
    return TfdsIndex(image_ids, object_counts, np.asarray(sizes, np.int32).reshape(-1, 2))


def _size(data):
    try:
        info = inspect_image(data)
    except ImageError:  # reported when it is read
        return 0, 0
    return info.height, info.width
