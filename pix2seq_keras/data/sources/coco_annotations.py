"""The `"annotations"` of a COCO file: which of them can be used, as boxes on the upright pictures."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import exif_turn_boxes
from pix2seq_keras.data.sources.coco_pictures import CocoPicture, is_record_id

_COMPARED = ("image_id", "category_id", "bbox", "iscrowd", "area")
_LONGEST_OVERHANG = 1.0  # pixels; labelling tools round outwards, which is nothing to report
_LARGEST_AREA = 1e30  # pixels²; far more would be infinite in float32


@dataclass(frozen=True)
class CocoObjects:
    """All usable objects of all pictures, those of picture `i` in rows `starts[i]` to `starts[i + 1]`.

    Args:
        boxes: float32 `(M, 4)` rel_yxyx of the upright picture.
        classes: int32 `(M,)`.
        is_crowd: bool `(M,)`.
        area: float32 `(M,)`, pixels² of the upright picture.
        starts: int64 `(N + 1,)`.
    """

    boxes: np.ndarray
    classes: np.ndarray
    is_crowd: np.ndarray
    area: np.ndarray
    starts: np.ndarray


def gather_objects(
    records: Sequence,
    pictures: Sequence[CocoPicture],
    known_ids: frozenset[int],
    categories: Categories,
    findings: Findings,
) -> CocoObjects:
    """Checks all annotation records and sorts the usable ones by picture, in the file's order within each.

    Args:
        records: the `"annotations"` list, of which anything may be wrong.
        pictures: the usable pictures.
        known_ids: the ids of all image records: objects of a picture that is left out go with it, unreported.
        categories: the categories of the file.
        findings: is told of every record that is dropped or changed.

    Returns:
        The `CocoObjects`.
    """
    index_of = {picture.image_id: index for index, picture in enumerate(pictures)}
    ids = Counter(r["id"] for r in records if isinstance(r, dict) and is_record_id(r.get("id")))
    earlier = {identifier: [] for identifier, count in ids.items() if count > 1}

    rows, positions = [], []
    for position, record in enumerate(records):
        row = _check(position, record, index_of, known_ids, categories, earlier, findings)
        if row is not None:
            rows.append(row)
            positions.append(position)

    table = np.asarray(rows, np.float64).reshape(-1, 8)  # (M, 8)
    picture, classes, is_crowd = table[:, :3].astype(np.int64).T
    area, x, y, w, h = table[:, 3:].T
    sizes = np.asarray(
        [(p.frame_width, p.frame_height, p.width, p.height, p.turn) for p in pictures], np.float64
    ).reshape(-1, 5)
    frame_width, frame_height, width, height, turn = sizes[picture].T  # each (M,)

    with np.errstate(over="ignore"):  # 1e308 + 1e308 is a box that ends far outside, as it should
        left, top, right, bottom = x, y, x + w, y + h
    flat = (w <= 0) | (h <= 0)
    outside = ~flat & ((left >= frame_width) | (top >= frame_height) | (right <= 0) | (bottom <= 0))
    overhang = np.max([-left, -top, right - frame_width, bottom - frame_height], axis=0, initial=-np.inf)
    left, right = np.clip(left, 0, frame_width), np.clip(right, 0, frame_width)
    top, bottom = np.clip(top, 0, frame_height), np.clip(bottom, 0, frame_height)
    boxes = np.stack(
        [top / frame_height, left / frame_width, bottom / frame_height, right / frame_width], axis=-1
    ).astype(np.float32)  # (M, 4)
    for orientation in range(2, 9):
        turned = turn == orientation
        boxes[turned] = exif_turn_boxes(boxes[turned], orientation)
    # A sliver can be thinner than float32 can tell.
    flat |= ~outside & ~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))

    def report(kind, mask, action):
        for row in np.flatnonzero(mask):
            where = _where(positions[row], records[positions[row]])
            file_name = pictures[picture[row]].file_name
            findings.add(
                kind,
                where,
                f"{where} has the box {records[positions[row]]['bbox']} on {file_name!r:.80} of "
                f"{frame_width[row]:g}×{frame_height[row]:g} pixels; {action}.",
            )

    report("box without area", flat, "dropped")
    report("box outside the picture", outside, "dropped")
    report("box cut to the picture", ~flat & ~outside & (overhang > _LONGEST_OVERHANG), "cut")

    area = np.where(np.isnan(area), (right - left) * (bottom - top), area)
    area *= width * height / (frame_width * frame_height)  # where the picture was resized

    kept = np.flatnonzero(~flat & ~outside)
    kept = kept[np.argsort(picture[kept], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(picture[kept], minlength=len(pictures)))])
    return CocoObjects(
        boxes=boxes[kept],
        classes=classes[kept].astype(np.int32),
        is_crowd=is_crowd[kept].astype(bool),
        area=area[kept].astype(np.float32),
        starts=starts.astype(np.int64),
    )


def _check(position, record, index_of, known_ids, categories, earlier, findings) -> tuple | None:
    """One row `(picture, class, crowd, area or NaN, x, y, w, h)`, or None where the record is dropped."""

    def drop(kind, why):
        where = _where(position, record)
        findings.add(kind, where, f"{where}: {why}; dropped.")

    if not isinstance(record, dict):
        return drop("unusable annotation record", "not a dictionary")
    image_id, category_id, bbox = record.get("image_id"), record.get("category_id"), record.get("bbox")
    if not is_record_id(image_id):
        return drop("unusable annotation record", f'"image_id" is {image_id!r:.40}, not an integer')
    if not is_record_id(category_id):
        return drop("unusable annotation record", f'"category_id" is {category_id!r:.40}, not an integer')
    crowd = record.get("iscrowd", 0)
    if crowd not in (0, 1):
        return drop("unusable annotation record", f'"iscrowd" is {crowd!r:.40}, neither 0 nor 1')
    picture = index_of.get(image_id)
    if picture is None:
        if image_id not in known_ids:
            drop("annotation of an unknown image", f"no image record has the id {image_id}")
        return None
    object_class = categories.class_of(category_id)
    if object_class is None:
        return drop("unknown category", f"no category has the id {category_id}")
    if not isinstance(bbox, list) or len(bbox) != 4 or any(type(v) not in (int, float) for v in bbox):
        return drop("unusable box", f'"bbox" is {bbox!r:.80}, not [x, y, width, height]')
    bbox = [_finite(value) for value in bbox]
    if None in bbox:
        return drop("box with NaN", f'"bbox" is {record["bbox"]!r:.80}, not four finite numbers')

    if not is_record_id(record.get("id")):
        where = _where(position, record)
        findings.add("annotation without an id", where, f"{where}: its id is no integer; kept all the same.")
    elif record["id"] in earlier:
        content = [record.get(key) for key in _COMPARED]
        before = earlier[record["id"]]
        if content in before:
            return drop("duplicate annotation id", "an equal record with this id came before")
        if before:
            where = _where(position, record)
            message = f"{where}: another record with this id came before; both are kept."
            findings.add("duplicate annotation id", where, message)
        before.append(content)

    area = record.get("area")
    area = _finite(area) if type(area) in (int, float) else None
    area = area if area is not None and 0 < area < _LARGEST_AREA else math.nan
    return (picture, object_class, int(crowd), area, *bbox)


def _finite(value: int | float) -> float | None:
    try:
        value = float(value)
    except OverflowError:  # an integer of 400 digits
        return None
    return value if math.isfinite(value) else None


def _where(position: int, record) -> str:
    identifier = f"id {record.get('id')!r:.40}" if isinstance(record, dict) else f"{record!r:.40}"
    return f"annotations[{position}] ({identifier})"
