"""The `"bbox"` of an annotation record: four numbers, also where a tool wrote them as text."""

import math
import re

from pix2seq_keras.data.sources.coco.segmentation import MaskBox, PolygonBox
from pix2seq_keras.data.sources.parse_number import parse_number
from pix2seq_keras.data.sources.short_repr import short_repr

_MAX_TEXT_LENGTH = 1000


def read_box(record):
    """Reads the box of a record.

    Args:
        record: dict, an annotation record after `without_segmentation`.

    Returns:
        `(box, notes, fault)`: list of four float, x, y, width, height, or None; a list of `(kind, message)` of what
        was done to read it; and None, or `(kind, reason)` if there is no usable box.

    Example:
        >>> read_box({"bbox": "[1, 2, 3.5, 4]"})[0]
        [1.0, 2.0, 3.5, 4.0]
    """
    written, notes = record.get("bbox"), []
    if isinstance(written, PolygonBox):
        notes.append(("polygon converted to box", "it has only polygons; their box is used"))
    if isinstance(written, MaskBox):
        notes.append(("mask converted to box", "it has only run lengths (RLE); their box is used"))
    values = _parse_text(written)
    if values is not written:
        notes.append(("box given as text", f'"bbox" is {short_repr(written)}; its numbers are used'))
    if not isinstance(values, list) or len(values) != 4 or any(type(v) not in (int, float) for v in values):
        reason = f'"bbox" is {short_repr(written)}, not [x, y, width, height]'
        if "segmentation" in record:
            reason += f', and "segmentation" is {record["segmentation"]}, neither polygons nor run lengths'
        return None, [], ("unusable box", reason)
    box = [_finite(value) for value in values]
    if None in box:
        return None, [], ("box with NaN", f'"bbox" is {short_repr(written)}, not four finite numbers')
    return box, notes, None


def _parse_text(value):
    """The list of numbers that text such as "[1, 2, 3, 4]" or ["1", "2", "3", "4"] means; else the value itself."""
    if isinstance(value, str) and len(value) <= _MAX_TEXT_LENGTH:
        words = re.split(r"[\s,;]+", value.strip().strip("[]()").strip())
    elif isinstance(value, list) and len(value) == 4 and any(isinstance(item, str) for item in value):
        words = [item.strip() if isinstance(item, str) else item for item in value]
    else:
        return value
    numbers = [parse_number(word) if isinstance(word, str) else word for word in words]
    return value if None in numbers else numbers


def _finite(value):
    try:
        value = float(value)
    except OverflowError:  # an integer of 400 digits
        return None
    return value if math.isfinite(value) else None
