"""Texts from the data, which anybody may have written, made fit to be shown."""

import html
from pathlib import PurePath

_LONGEST = 300


def plain(text, longest=_LONGEST):
    """A text without anything a terminal or a reader could be led astray by.

    Control characters, line breaks, marks that turn the direction of writing and bytes that are no text become their
    escapes.

    Args:
        text: anything.
        longest: int, characters from which it is cut.

    Returns:
        Printable text.

    Example:
        >>> plain("cell\\x1b[2J\\u202e")
        'cell\\\\x1b[2J\\\\u202e'
    """
    text = str(text)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def markup(text, longest=_LONGEST):
    """The same as text of an HTML page, inside or outside of an attribute."""
    return html.escape(plain(text, longest), quote=True)


def short_path(label):
    """The end of a path, with the folder it is in; other names as they are."""
    parts = PurePath(label).parts
    return "/".join(parts[-2:]) if label.startswith(("/", "\\")) else label


def grouped(issues):
    """Issues by kind, problems first: `{kind: [Issue, …]}`."""
    groups: dict = {}
    for issue in sorted(issues, key=lambda one: one.severity != "problem"):
        groups.setdefault(issue.kind, []).append(issue)
    return groups


def share(part, whole):
    """ "12 (3.4 %)", or "12" of nothing."""
    return f"{part:,} ({100 * part / whole:.1f} %)" if whole else f"{part:,}"
