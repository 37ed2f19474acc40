"""Text for terminals and log files. It may hold names from data, which may contain anything."""

import contextlib
import io
import sys

_MAX_LENGTH = 300
_MAX_LINE = 10_000  # characters; a name can have millions


def accept_all_characters():
    r"""From now on standard output and standard error write `\u732b` for a character that their encoding lacks.

    Otherwise one image named 猫.jpg, or a name that is not UTF-8, would end a run that is done, without its results.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None without a terminal, or another class in a notebook
            stream.reconfigure(errors="backslashreplace")


def say(text, error=False):
    """Prints text, line by line; characters that could control the terminal are escaped.

    Args:
        text: object, converted to str.
        error: bool, whether to print to standard error instead of standard output. Defaults to `False`.
    """
    print(printable_lines(text), file=sys.stderr if error else sys.stdout, flush=True)


@contextlib.contextmanager
def said_safely():
    """Escapes what a library writes to standard error meanwhile, as `say` does."""
    written = io.StringIO()
    try:
        with contextlib.redirect_stderr(written):
            yield
    finally:
        if text := written.getvalue():
            say(text.removesuffix("\n"), error=True)


def printable_lines(text):
    r"""Escapes text as `printable` does, but keeps its line breaks.

    Args:
        text: object, converted to str.

    Returns:
        str.

    Example:
        >>> printable_lines("two\nlines\x1b[2J")
        'two\nlines\\x1b[2J'
    """
    return "\n".join(printable(line, _MAX_LINE) for line in str(text).split("\n"))


def printable(text, max_length=_MAX_LENGTH):
    r"""Escapes all characters that could control a terminal or mislead a reader.

    These are control characters, line breaks, marks that change the direction of writing, and bytes that are not text.

    Args:
        text: object, converted to str.
        max_length: int, longer texts are cut to this number of characters before escaping. Defaults to 300.

    Returns:
        str, printable text.

    Example:
        >>> printable("cell\x1b[2J\u202e")
        'cell\\x1b[2J\\u202e'
    """
    text = str(text)
    text = text if len(text) <= max_length else text[: max_length - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text, max_length):
    r"""Makes one short line of text, such as the name of a class for a label: white space becomes single blanks.

    Args:
        text: object, converted to str.
        max_length: int, longer lines are cut to this number of characters before escaping.

    Returns:
        str, printable text.

    Example:
        >>> one_line("red\n  blood cell", 40)
        'red blood cell'
    """
    text = str(text)
    beginning = text[: 4 * max_length]  # enough of it, unless it is mostly white space; it can have millions
    line = " ".join(beginning.split())
    return printable(line + "…" if len(beginning) < len(text) else line, max_length)
