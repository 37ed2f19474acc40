"""The box of a `"segmentation"`, for records that have no `"bbox"`.

Run lengths are decoded here and not by pycocotools, whose C code reads and writes past the end of its memory if their
text is malformed, and annotation files are not trusted.
"""

import math

import numpy as np

from pix2seq_keras.data.sources.short_repr import short_repr

_MAX_PIXELS = 2**40  # of a mask; larger ones could overflow
_MAX_DEPTH = 4  # of nested lists of coordinates
_MORE = 0x20


class PolygonBox(list):
    """A `"bbox"` that was computed from polygons."""


class MaskBox(list):
    """A `"bbox"` that was computed from run lengths (RLE)."""


def without_segmentation(record):
    """Drops the segmentation of a record of a COCO file; a record without a box gets that of its segmentation.

    Args:
        record: dict, any dictionary of the file. It is changed: `"bbox"` may become a `PolygonBox` or `MaskBox`, and an
            unusable `"segmentation"` without a `"bbox"` becomes a short str.

    Returns:
        The dict itself.
    """
    segmentation = record.pop("segmentation", None)
    if segmentation and not _is_box(record.get("bbox")):
        box = box_of_segmentation(segmentation)
        if box is None:
            record["segmentation"] = short_repr(segmentation)
        else:
            record["bbox"] = box
    return record


def box_of_segmentation(segmentation):
    """The box around a segmentation.

    Args:
        segmentation: the JSON value: a list of polygons `[x, y, x, y, …]`, or a dictionary of run lengths with
            `"size"`, `[height, width]`, and `"counts"`, a list or COCO's compressed text.

    Returns:
        `PolygonBox` or `MaskBox` of x, y, width, height; None if the segmentation is empty or unusable.

    Example:
        >>> box_of_segmentation([[10, 10, 30, 10, 30, 25]])
        [10, 10, 20, 15]
    """
    if isinstance(segmentation, dict):
        return _box_of_mask(segmentation.get("size"), segmentation.get("counts"))
    polygons = list(_polygons(segmentation))
    numbers = [number for polygon in polygons for number in polygon]
    if not numbers or any(len(polygon) % 2 for polygon in polygons) or not all(map(_is_number, numbers)):
        return None
    left, top = min(numbers[0::2]), min(numbers[1::2])
    return PolygonBox([left, top, max(numbers[0::2]) - left, max(numbers[1::2]) - top])


def _is_box(bbox):
    """Whether a record has a box. Some tools write `[]` or `[0, 0, 0, 0]` beside a segmentation."""
    return bbox is not None and (not isinstance(bbox, list) or any(bbox))


def _polygons(value, depth=0):
    """The innermost lists of nested ones."""
    if not isinstance(value, list) or depth == _MAX_DEPTH:
        yield [None]
    elif any(isinstance(item, list) for item in value):
        for item in value:
            yield from _polygons(item, depth + 1)
    else:
        yield value


def _is_number(value):
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _box_of_mask(size, counts):
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
        return None
    height, width = size
    if height * width > _MAX_PIXELS:
        return None
    runs = _decode(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or any(type(run) is not int or not 0 <= run <= height * width for run in runs):
        return None
    ends = np.cumsum(np.asarray(runs, np.int64))  # of runs of zeros and ones in turn, column by column
    if not len(ends) or ends[-1] > height * width:
        return None
    starts, ends = ends[0:-1:2], ends[1::2]  # of the ones
    starts, ends = starts[: len(ends)], ends[: len(starts)]
    starts, ends = starts[ends > starts], ends[ends > starts] - 1
    if not len(starts):
        return None
    left, right = starts // height, ends // height
    within = left == right  # a run over several columns touches the top and the bottom
    top = np.where(within, starts % height, 0).min()
    bottom = np.where(within, ends % height, height - 1).max()
    left, right = left.min(), right.max()
    return MaskBox([int(left), int(top), int(right - left + 1), int(bottom - top + 1)])


def _decode(text):
    """COCO's compressed counts: base 32 with a continuation bit; from the third on, differences to the last but one."""
    runs, value, shift = [], 0, 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64 or shift > 40:
            return None
        value |= (digit & 0x1F) << shift
        shift += 5
        if not digit & _MORE:
            if digit & 0x10:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs if not shift else None
