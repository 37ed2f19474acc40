"""YOLO's label files: a row for every object, `class x-centre y-centre width height`, relative to the image."""

from dataclasses import dataclass

from pix2seq_keras.data.sources.numbers_in_text import number
from pix2seq_keras.data.sources.showing import shown


@dataclass(frozen=True)
class YoloRow:
    """A usable row.

    Args:
        line: its number in the file, from 1.
        class_id: the class as the file numbers it.
        edges: left, top, right, bottom, relative to the image.
        is_polygon: whether they were taken from a polygon.
    """

    line: int
    class_id: int
    edges: tuple[float, float, float, float]
    is_polygon: bool = False


@dataclass(frozen=True)
class YoloFault:
    """An unusable row: its number in the file, the kind of issue, and why."""

    line: int
    kind: str
    reason: str


def parse_labels(text, has_keypoints=False):
    """Reads a label file.

    A row of seven numbers or more is a polygon, `class x y x y x y …`, and stands for the box around it; with keypoints
    it is a box that is followed by them.

    Args:
        text: str, of the file, possibly empty.
        has_keypoints: bool, whether rows go on with keypoints after the box.

    Returns:
        What the rows say, in their order; empty lines are passed over.

    Example:
        >>> parse_labels("0 0.5 0.5 0.25 0.5")[0].edges
        (0.375, 0.25, 0.625, 0.75)
    """
    return [_parse_row(line, row, has_keypoints) for line, row in enumerate(text.splitlines(), 1) if row.strip()]


def _parse_row(line, row, has_keypoints):
    words = row.split()
    values = [number(word) for word in words]
    if None in values:
        word = words[values.index(None)]
        is_nan = word.lower().lstrip("+-") in ("nan", "inf", "infinity")
        kind = "box with NaN" if is_nan else "unusable annotation record"
        return YoloFault(line, kind, f"{shown(word, 40)} is no number that can be used")
    class_id, *numbers = values
    if class_id != int(class_id):
        return YoloFault(line, "unusable annotation record", f"the class {shown(words[0], 40)} is no whole number")
    is_polygon = len(numbers) >= 6 and len(numbers) % 2 == 0 and not has_keypoints
    if is_polygon:
        across, down = numbers[0::2], numbers[1::2]
        return YoloRow(line, int(class_id), (min(across), min(down), max(across), max(down)), True)
    if len(numbers) == 4 or (has_keypoints and len(numbers) > 4):
        x, y, width, height = numbers[:4]
        return YoloRow(line, int(class_id), (x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return YoloFault(
        line,
        "unusable annotation record",
        f"{len(words)} numbers are neither a class and a box (5) nor a class and a polygon (7, 9, 11, …)",
    )
