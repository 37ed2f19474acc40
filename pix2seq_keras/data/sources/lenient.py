"""Integers, booleans and file names that tools write in other ways than the format says: read, and noted once a kind.

CVAT, Label Studio and pandas write the id 7 as "7" or 7.0, others `<difficult>False</difficult>` or `"iscrowd": null`.
These have one meaning. What has none, such as 7.5 or "abc", is not guessed.
"""

import math
import re
import threading

from pix2seq_keras.data.sources.short_repr import short_repr

_INTEGER = re.compile(r"[+-]?\d{1,19}(\.0*)?", re.ASCII)
_EXACT = 2**53  # above it, a float has lost digits of the integer that was meant
_FALSE = ("", "0", "false", "unspecified", "none", "null", "nan")
_TRUE = ("1", "true")


def parse_integer(value):
    """Parses an integer of 64 bits.

    Args:
        value: a JSON value or a text; booleans are no integers.

    Returns:
        int, or None if the value is no integer.

    Example:
        >>> parse_integer("7"), parse_integer(7.0), parse_integer("7.0"), parse_integer(7.5), parse_integer(True)
        (7, 7, 7, None, None)
    """
    if isinstance(value, str):
        text = value.strip()
        value = int(text.partition(".")[0]) if _INTEGER.fullmatch(text) else None
    elif type(value) is float:
        value = int(value) if abs(value) <= _EXACT and value.is_integer() else None
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def parse_boolean(value):
    """Parses a boolean; nothing, as tools write it (null, "", NaN, "Unspecified"), is false.

    Args:
        value: a JSON value or a text.

    Returns:
        bool, or None if the value is no boolean.

    Example:
        >>> parse_boolean("0"), parse_boolean("False"), parse_boolean(None), parse_boolean(1.0), parse_boolean("yes")
        (False, False, False, True, None)
    """
    if value is None or (type(value) is float and math.isnan(value)):
        return False
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in (*_FALSE, *_TRUE):
        return value.strip().lower() in _TRUE
    number = parse_integer(value)
    return bool(number) if number in (0, 1) else None


class LenientReader:
    """Reads values that are not written as the format says, and counts them. Threads may share an instance.

    Example:
        >>> reader = LenientReader()
        >>> reader.integer("7", '"id" of images', lambda: "images[0]")
        7
        >>> reader.report(issues)
    """

    def __init__(self):
        self._found = {}  # (kind, what) -> [count, the first]
        self._lock = threading.Lock()

    def integer(self, value, what, where):
        """Reads an integer.

        Args:
            value: a JSON value or a text.
            what: str, which values are counted together, such as '"id" of images'.
            where: function without arguments that returns the place of this value.

        Returns:
            int, or None if the value is no integer; the caller reports that.
        """
        if type(value) is int and -(2**63) <= value < 2**63:
            return value
        return self._noted(parse_integer(value), value, what, where)

    def boolean(self, value, what, where):
        """Reads a boolean.

        Args:
            value: a JSON value or a text.
            what: str, as for `integer`.
            where: function, as for `integer`.

        Returns:
            bool, or None if the value is no boolean.
        """
        if type(value) is int and value in (0, 1):
            return bool(value)
        return self._noted(parse_boolean(value), value, what, where)

    def note(self, kind, what, first):
        """Counts something that was read leniently.

        Args:
            kind: str, the kind of the issue.
            what: str, what is counted together.
            first: function without arguments that returns a sentence; only the first one is called and kept.
        """
        with self._lock:
            entry = self._found.get((kind, what))
            if entry is None:
                self._found[kind, what] = [1, first()]
            else:
                entry[0] += 1

    def report(self, issues):
        """Adds one issue for each (kind, what).

        Args:
            issues: `Issues`.
        """
        for (kind, what), (count, first) in self._found.items():
            issues.add(kind, what, f"{what}: {count} in all. The first: {first}")

    def _noted(self, parsed, value, what, where):
        if parsed is not None:
            shown = int(parsed)
            self.note("value read leniently", what, lambda: f"{where()}: {short_repr(value, 40)} is read as {shown}.")
        return parsed
