"""Numbers as annotation files in text have them."""

import math
import re

_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def number(text):
    """The finite number a text is, or None where it is none.

    `float` alone would take "nan", "infinity" and "1_000" too.

    Args:
        text: str or `None`, the text, or None.

    Returns:
        float or None.

    Example:
        >>> number("0.5"), number("5e-1"), number("nan")
        (0.5, 0.5, None)
    """
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
