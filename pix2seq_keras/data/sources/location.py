"""What a user writes after the colon of a source."""

import re

from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.errors import InputError


def file_and_folder(location, suffix):
    """Splits a location such as `labels.json+photos`.

    Args:
        location: str, "FILE+FOLDER" or anything else.
        suffix: str, regular expression for the end of the file's name.

    Returns:
        `(file, folder)`, or `(location, None)` if it names no folder.

    Example:
        >>> file_and_folder("a+b.json+photos", "[.]json")
        ('a+b.json', 'photos')
    """
    match = re.fullmatch(rf"(.+?{suffix})\+(.+)", location, re.IGNORECASE | re.DOTALL)
    return (location, None) if match is None else (match[1], match[2])


def split_option(location, name, values):
    """Splits a location such as `VOC2012?difficult=keep`.

    Args:
        location: str, "LOCATION" or "LOCATION?NAME=VALUE".
        name: str, the option's name.
        values: tuple of str, the values that it may have, the default first.

    Returns:
        `(location, value)`.

    Raises:
        InputError: if it has another value.

    Example:
        >>> split_option("VOC2012?difficult=keep", "difficult", ("crowd", "keep"))
        ('VOC2012', 'keep')
    """
    location, mark, value = location.partition(f"?{name}=")
    value = value if mark else values[0]
    require_value(name, value, values)
    return location, value


def require_value(name, value, values):
    """Checks the value of an option of a source.

    Args:
        name: str, the option's name.
        value: str.
        values: tuple of str, the values that it may have.

    Raises:
        InputError: if it has another value.
    """
    if value not in values:
        raise InputError(f"`{name}` must be one of {quote_all(values)}. Received: {name}={value!r}")
