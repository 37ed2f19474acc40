"""Text from the data, which may contain anything, in the form of a report."""

import html
from pathlib import PurePath

from pix2seq_keras.terminal import printable

_MAX_LENGTH = 300


def escape_html(text, max_length=_MAX_LENGTH):
    """Escapes text as `printable` does, and also for HTML, inside or outside of an attribute.

    Args:
        text: object, converted to str.
        max_length: int, see `printable`. Defaults to 300.

    Returns:
        str, HTML.
    """
    return html.escape(printable(text, max_length), quote=True)


def shorten_path(label):
    """Shortens a path to its file name and folder; other labels stay as they are.

    Args:
        label: str, the label of an image in a source.

    Returns:
        str.

    Example:
        >>> shorten_path("/data/train/7.jpg")
        'train/7.jpg'
    """
    parts = PurePath(label).parts
    return "/".join(parts[-2:]) if label.startswith(("/", "\\")) else label


def group_by_kind(issues):
    """Groups issues by their kind, problems before notes.

    Args:
        issues: iterable of `Issue`.

    Returns:
        Dictionary from kind to list of `Issue`.
    """
    groups = {}
    for issue in sorted(issues, key=lambda issue: issue.severity != "problem"):
        groups.setdefault(issue.kind, []).append(issue)
    return groups


def count_and_percent(count, total):
    """Formats a count with its percentage of a total.

    Args:
        count: int.
        total: int.

    Returns:
        str, without the percentage if the total is 0.

    Example:
        >>> count_and_percent(12, 350)
        '12 (3.4 %)'
    """
    return f"{count:,} ({100 * count / total:.1f} %)" if total else f"{count:,}"
