"""Progress of a long loop: a live bar with the remaining time on a terminal, a line every 15 seconds in a log file."""

import contextlib
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pix2seq_keras.terminal import printable

_MAX_TITLE = 100  # characters
_SECONDS_BETWEEN_LINES = 15.0  # short log files that still show progress


@contextlib.contextmanager
def progress_bar(title, total, show=True, console=None):
    """Shows the progress and the remaining time while the block runs.

    Args:
        title: str, name of the task, for example `"evaluating digits test"`.
        total: int, number of steps.
        show: bool, whether to show anything. Defaults to `True`.
        console: `rich.console.Console` to write to. Defaults to `None`, standard error.

    Yields:
        A function `advance(count=1)`, to be called after every `count` steps.

    Example:
        >>> with progress_bar("copying files", len(paths)) as advance:
        ...     for path in paths:
        ...         shutil.copy(path, folder)
        ...         advance()
    """
    console = console or Console(stderr=True)
    title = printable(title, _MAX_TITLE)
    if not show:
        yield lambda count=1: None
    elif console.is_terminal or console.is_jupyter:
        with _live_bar(console) as bar:
            task = bar.add_task(title, total=total)
            yield lambda count=1: bar.advance(task, count)
    else:
        yield _line_writer(title, total, console)


def _live_bar(console):
    return Progress(
        TextColumn("{task.description}", markup=False),  # "[red]" in a name is no colour
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("·"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
    )


def _line_writer(title, total, console):
    start = time.monotonic()
    done, last_line = 0, start

    def advance(count=1):
        nonlocal done, last_line
        done += count
        now = time.monotonic()
        if done < total and now - last_line < _SECONDS_BETWEEN_LINES:
            return
        last_line = now
        elapsed = now - start
        left = elapsed / done * (total - done) if done else 0.0
        tail = f"{elapsed:.0f} s, {left:.0f} s left" if done < total else f"done in {elapsed:.0f} s"
        # Not console.print: it would wrap a line of a log file at 80 columns.
        console.file.write(f"{title}: {done}/{total}, {tail}\n")
        console.file.flush()

    return advance
