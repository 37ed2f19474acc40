"""Numbers in text annotation files."""

import math
import re

_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def parse_number(text):
    """Parses a finite number.

    `float` alone would accept "nan", "infinity" and "1_000" too.

    Args:
        text: str or None.

    Returns:
        float, or None if the text is no finite number.

    Example:
        >>> parse_number("0.5"), parse_number("5e-1"), parse_number("nan")
        (0.5, 0.5, None)
    """
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
