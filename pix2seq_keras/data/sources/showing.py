"""Values of somebody else's file in messages: shown in part, for whole they may be endless."""

import reprlib

_MOST = 200  # characters of any string


class _Short(reprlib.Repr):
    def repr_str(self, text, level):
        return repr(text[:_MOST])  # its beginning, where the library would show both ends


_short = _Short()
_short.maxlevel, _short.maxother, _short.maxlong = 3, _MOST, 40


def shown(value, length=80):
    """A value's `repr`, of which never more than a piece is built.

    Brackets nested a thousand deep would exhaust Python's stack, and YAML's aliases can make a few lines into more
    text than memory holds.

    Args:
        value: anything.
        length: int, characters at most.

    Returns:
        The text.

    Example:
        >>> shown([[[["deep"]]]])
        '[[[...]]]'
    """
    return _short.repr(value)[:length]
