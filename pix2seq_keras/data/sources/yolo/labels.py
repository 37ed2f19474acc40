"""YOLO's label files: one row per object, `class x-centre y-centre width height`, relative to the image."""

from dataclasses import dataclass

from pix2seq_keras.data.sources.lenient import parse_integer
from pix2seq_keras.data.sources.parse_number import parse_number
from pix2seq_keras.data.sources.short_repr import short_repr


@dataclass(frozen=True)
class YoloRow:
    """A usable row.

    Args:
        line: int, its line in the file, counted from 1.
        class_id: int, the class number in the file.
        edges: tuple of float, left, top, right, bottom, relative to the image.
        is_polygon: bool, whether they are those of a polygon. Defaults to False.
        has_confidence: bool, whether a sixth column was ignored. Defaults to False.
        class_text: str, the class number as the file writes it. Defaults to "".
    """

    line: int
    class_id: int
    edges: tuple[float, float, float, float]
    is_polygon: bool = False
    has_confidence: bool = False
    class_text: str = ""


@dataclass(frozen=True)
class YoloFault:
    """An unusable row.

    Args:
        line: int, its line in the file, counted from 1.
        kind: str, the kind of the issue.
        reason: str.
    """

    line: int
    kind: str
    reason: str


def parse_labels(text, has_keypoints=False):
    """Parses a label file.

    A row of at least seven numbers is a polygon, `class x y x y x y …`, and gives the box around it. With keypoints it
    is a box followed by keypoints. A sixth number is a detector's confidence and ignored.

    Args:
        text: str, of the file; it may be empty.
        has_keypoints: bool, whether rows have keypoints after the box. Defaults to False.

    Returns:
        List of `YoloRow` or `YoloFault`, in the order of the rows, without empty lines.

    Example:
        >>> parse_labels("0 0.5 0.5 0.25 0.5")[0].edges
        (0.375, 0.25, 0.625, 0.75)
    """
    return [_parse_row(line, row, has_keypoints) for line, row in enumerate(text.splitlines(), 1) if row.strip()]


def _parse_row(line, row, has_keypoints):
    words = row.split()
    values = [parse_number(word) for word in words]
    if None in values:
        word = words[values.index(None)]
        is_nan = word.lower().lstrip("+-") in ("nan", "inf", "infinity")
        kind = "box with NaN" if is_nan else "unusable annotation record"
        return YoloFault(line, kind, f"{short_repr(word, 40)} is not a finite number")
    numbers, class_id = values[1:], parse_integer(words[0])
    if class_id is None:
        return YoloFault(line, "unusable annotation record", f"the class {short_repr(words[0], 40)} is not an integer")
    is_polygon = len(numbers) >= 6 and len(numbers) % 2 == 0 and not has_keypoints
    if is_polygon:
        across, down = numbers[0::2], numbers[1::2]
        return YoloRow(line, class_id, (min(across), min(down), max(across), max(down)), True, class_text=words[0])
    if len(numbers) in (4, 5) or (has_keypoints and len(numbers) > 4):
        x, y, width, height = numbers[:4]
        edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        has_confidence = len(numbers) == 5 and not has_keypoints
        return YoloRow(line, class_id, edges, has_confidence=has_confidence, class_text=words[0])
    return YoloFault(
        line,
        "unusable annotation record",
        f"{len(words)} numbers are neither a class and a box (5 or 6) nor a class and a polygon (7, 9, 11, …)",
    )
