"""The `"annotations"` of a COCO file: which of them can be used, as boxes on the upright images."""

import math
from collections import Counter

from pix2seq_keras.data.sources.coco.images import is_record_id
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.showing import shown

_COMPARED = ("image_id", "category_id", "bbox", "iscrowd", "area")
_LARGEST_AREA = 1e30  # pixels²; far more would be infinite in float32


def gather_objects(
    records,
    images,
    known_ids,
    categories,
    issues,
):
    """Checks all annotation records and sorts the usable ones by image, in the file's order within each.

    Args:
        records: `Sequence`, the `"annotations"` list, of which anything may be wrong.
        images: list of `IndexedImage`, the usable images.
        known_ids: frozenset[int], the ids of all image records: objects of an image that is left out go with it,
            unreported.
        categories: `Categories`, the categories of the file.
        issues: `Issues`, is told of every record that is dropped or changed.

    Returns:
        The `Objects`.
    """
    index_of = {image.image_id: index for index, image in enumerate(images)}
    ids = Counter(r["id"] for r in records if isinstance(r, dict) and is_record_id(r.get("id")))
    earlier = {identifier: [] for identifier, count in ids.items() if count > 1}

    rows, positions = [], []
    for position, record in enumerate(records):
        row = _check(position, record, index_of, known_ids, categories, earlier, issues)
        if row is not None:
            rows.append(row)
            positions.append(position)

    def describe(row):
        position = positions[row]
        return _where(position, records[position]), shown(records[position]["bbox"])

    return place_objects(rows, describe, images, issues)


def _check(position, record, index_of, known_ids, categories, earlier, issues):
    """One row `(image, class, crowd, area or NaN, left, top, right, bottom)`, or None where the record is dropped."""

    def drop(kind, why):
        where = _where(position, record)
        issues.add(kind, where, f"{where}: {why}; dropped.")

    if not isinstance(record, dict):
        return drop("unusable annotation record", "not a dictionary")
    image_id, category_id, bbox = record.get("image_id"), record.get("category_id"), record.get("bbox")
    if not is_record_id(image_id):
        return drop("unusable annotation record", f'"image_id" is {shown(image_id, 40)}, not an integer')
    if not is_record_id(category_id):
        return drop("unusable annotation record", f'"category_id" is {shown(category_id, 40)}, not an integer')
    crowd = record.get("iscrowd", 0)
    if crowd not in (0, 1):
        return drop("unusable annotation record", f'"iscrowd" is {shown(crowd, 40)}, neither 0 nor 1')
    image = index_of.get(image_id)
    if image is None:
        if image_id not in known_ids:
            drop("annotation of an unknown image", f"no image record has the id {image_id}")
        return None
    object_class = categories.class_of(category_id)
    if object_class is None:
        return drop("unknown category", f"no category has the id {category_id}")
    if not isinstance(bbox, list) or len(bbox) != 4 or any(type(v) not in (int, float) for v in bbox):
        return drop("unusable box", f'"bbox" is {shown(bbox)}, not [x, y, width, height]')
    bbox = [_finite(value) for value in bbox]
    if None in bbox:
        return drop("box with NaN", f'"bbox" is {shown(record["bbox"])}, not four finite numbers')

    if not is_record_id(record.get("id")):
        where = _where(position, record)
        issues.add("annotation without an id", where, f"{where}: its id is no integer; kept all the same.")
    elif record["id"] in earlier:
        content = [record.get(key) for key in _COMPARED]
        before = earlier[record["id"]]
        if content in before:
            return drop("duplicate annotation id", "an equal record with this id came before")
        if before:
            where = _where(position, record)
            message = f"{where}: another record with this id came before; both are kept."
            issues.add("duplicate annotation id", where, message)
        before.append(content)

    area = record.get("area")
    area = _finite(area) if type(area) in (int, float) else None
    area = area if area is not None and 0 < area < _LARGEST_AREA else math.nan
    x, y, width, height = bbox
    # 1e308 + 1e308 is infinite: a box that ends far outside, as it should.
    return (image, object_class, int(crowd), area, x, y, x + width, y + height)


def _finite(value):
    try:
        value = float(value)
    except OverflowError:  # an integer of 400 digits
        return None
    return value if math.isfinite(value) else None


def _where(position, record):
    identifier = f"id {shown(record.get('id'), 40)}" if isinstance(record, dict) else f"{shown(record, 40)}"
    return f"annotations[{position}] ({identifier})"
