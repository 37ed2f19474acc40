"""The `"annotations"` of a COCO file: checks them and gathers the usable ones as boxes of the upright images."""

import math
from collections import Counter

import numpy as np

from pix2seq_keras.data.sources.coco.boxes import read_box
from pix2seq_keras.data.sources.lenient import parse_integer
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.keras_cv_adapter import convert_boxes

_LARGEST_AREA = 1e30  # pixels²; larger ones could be infinite in float32


def gather_objects(
    records,
    images,
    known_ids,
    categories,
    issues,
    reader,
    crowds="ignore",
):
    """Checks all annotation records and sorts the usable ones by image, in the file's order within each.

    Args:
        records: list, the `"annotations"`, unchecked.
        images: list of `IndexedImage`, the usable images.
        known_ids: frozenset of int, the ids of all image records. Objects of an image that is left out are left out
            without an issue.
        categories: `Categories`, those of the file.
        issues: `Issues`; every record that is dropped or changed is reported.
        reader: `LenientReader`, of ids and `"iscrowd"`.
        crowds: str, "ignore" keeps crowds apart from objects, "keep" makes them objects. Defaults to "ignore".

    Returns:
        `Objects`.
    """
    index_of = {image.image_id: index for index, image in enumerate(images)}
    own_ids = [parse_integer(record.get("id")) if isinstance(record, dict) else None for record in records]
    ids = Counter(identifier for identifier in own_ids if identifier is not None)
    earlier = {identifier: set() for identifier, count in ids.items() if count > 1}

    rows, positions = [], []
    for position, record in enumerate(records):
        row = _check(position, record, own_ids[position], index_of, known_ids, categories, earlier, issues, reader)
        if row is not None:
            if crowds == "keep":
                row = (*row[:2], 0, *row[3:])
            rows.append(row)
            positions.append(position)

    if rows:
        # In float64: 1e308 + 1e308 is infinite, a box that ends far outside.
        edges = convert_boxes(np.float64([row[4:] for row in rows]), "xywh", "xyxy", dtype="float64")
        rows = np.concatenate([np.float64([row[:4] for row in rows]), np.asarray(edges)], axis=-1)  # (M, 8)

    def describe(row):
        position = positions[row]
        return _where(position, records[position]), short_repr(records[position]["bbox"])

    return place_objects(rows, describe, images, issues)


def _check(position, record, own_id, index_of, known_ids, categories, earlier, issues, reader):
    """One row `(image, class, crowd, area or NaN, x, y, width, height)`, or None if the record is dropped."""

    def place():
        return _where(position, record)

    def drop(kind, why):
        where = place()
        issues.add(kind, where, f"{where}: {why}; dropped.")

    if not isinstance(record, dict):
        return drop("unusable annotation record", "not a dictionary")
    image_id = reader.integer(record.get("image_id"), '"image_id" of annotations', place)
    category_id = reader.integer(record.get("category_id"), '"category_id" of annotations', place)
    crowd = reader.boolean(record.get("iscrowd", 0), '"iscrowd" of annotations', place)
    for key, value, rule in (
        ("image_id", image_id, "not an integer"),
        ("category_id", category_id, "not an integer"),
        ("iscrowd", crowd, "neither 0 nor 1"),
    ):
        if value is None:
            received = short_repr(record.get(key), 40)
            return drop("unusable annotation record", f'"{key}" is {received}, {rule}')
    image = index_of.get(image_id)
    if image is None:
        if image_id not in known_ids:
            drop("annotation of an unknown image", f"no image record has the id {image_id}")
        return None
    object_class = categories.class_of(category_id)
    if object_class is None:
        return drop("unknown category", f"no category has the id {category_id}")
    bbox, notes, fault = read_box(record)
    if fault is not None:
        return drop(*fault)
    for kind, message in notes:
        reader.note(kind, "boxes of annotations", lambda message=message: f"{place()}: {message}.")

    area = record.get("area")
    area = area if type(area) in (int, float) and 0 < area < _LARGEST_AREA else math.nan
    row = (image, object_class, int(crowd), area, *bbox)

    if own_id is None:
        where = _where(position, record)
        issues.add("annotation without an id", where, f"{where}: its id is no integer; kept.")
    elif own_id in earlier:
        before = earlier[own_id]  # a set: all records may have the same id
        if row in before:
            return drop("duplicate annotation id", "an earlier record with this id is equal")
        if before:
            where = _where(position, record)
            message = f"{where}: an earlier record has this id; both are kept."
            issues.add("duplicate annotation id", where, message)
        before.add(row)
    return row


def _where(position, record):
    identifier = f"id {short_repr(record.get('id'), 40)}" if isinstance(record, dict) else f"{short_repr(record, 40)}"
    return f"annotations[{position}] ({identifier})"
