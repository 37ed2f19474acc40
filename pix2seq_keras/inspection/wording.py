"""Texts from the data, which anybody may have written, made fit to be shown."""

import html
from pathlib import PurePath

_LONGEST = 300


def plain(text, longest: int = _LONGEST) -> str:
    """A text without anything a terminal or a reader could be led astray by.

    Control characters, line breaks, marks that turn the direction of writing and bytes that are no text become their
    escapes.

    Args:
        text: anything.
        longest: characters from which it is cut.

    Returns:
        Printable text.

    Example:
        >>> plain("cell\\x1b[2J\\u202e")
        'cell\\\\x1b[2J\\\\u202e'
    """
    text = str(text)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def markup(text, longest: int = _LONGEST) -> str:
    """The same as text of an HTML page, inside or outside of an attribute."""
    return html.escape(plain(text, longest), quote=True)


def short_path(label: str) -> str:
    """The end of a path, with the folder it is in; other names as they are."""
    parts = PurePath(label).parts
    return "/".join(parts[-2:]) if label.startswith(("/", "\\")) else label


def grouped(findings) -> dict:
    """Findings by kind, problems first: `{kind: [Finding, …]}`."""
    groups: dict = {}
    for finding in sorted(findings, key=lambda one: one.severity != "problem"):
        groups.setdefault(finding.kind, []).append(finding)
    return groups


def share(part: int, whole: int) -> str:
    """ "12 (3.4 %)", or "12" of nothing."""
    return f"{part:,} ({100 * part / whole:.1f} %)" if whole else f"{part:,}"
