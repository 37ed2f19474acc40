"""Representations of values for messages."""

import reprlib

_MAX_CHARACTERS = 200  # of any string


class _ShortRepr(reprlib.Repr):
    def repr_str(self, text, level):
        return repr(text[:_MAX_CHARACTERS])  # its beginning; the base class would show both ends


_short_repr = _ShortRepr()
_short_repr.maxlevel, _short_repr.maxother, _short_repr.maxlong = 3, _MAX_CHARACTERS, 40


def short_repr(value, length=80):
    """A value's `repr`, cut to a length, without building the whole of it.

    The whole could be too much: brackets nested a thousand deep would exhaust Python's stack, and YAML aliases can
    expand a few lines to more text than fits into memory.

    Args:
        value: any object.
        length: int, the largest number of characters. Defaults to 80.

    Returns:
        str.

    Example:
        >>> short_repr([[[[["deep"]]]]])
        '[[[[...]]]]'
    """
    return _short_repr.repr(value)[:length]


def quote_all(names):
    """Lists names for a message.

    Args:
        names: iterable of str.

    Returns:
        str, each name in quotes, with commas between them; "" if there are none.

    Example:
        >>> quote_all(["train", "val"])
        "'train', 'val'"
    """
    return ", ".join(repr(name) for name in names)
