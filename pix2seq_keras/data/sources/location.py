"""What a user writes after the colon of a source."""

import re


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
