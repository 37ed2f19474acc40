"""The log of a run: lines on standard output, and with the time in train.log."""

import contextlib
from datetime import datetime

from pix2seq_keras.atomic_files import write_error_message
from pix2seq_keras.errors import InputError
from pix2seq_keras.terminal import printable_lines, say


class RunLog:
    """Prints lines and appends them to a file. As a context manager it also logs the exception that ends the run.

    Args:
        path: `pathlib.Path` of the file.

    Raises:
        InputError: if the file cannot be written.

    Example:
        >>> with RunLog(run.log) as log:
        ...     log("250 steps")
    """

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self._append("")  # raises here, before the run begins, if the file cannot be written
        return self

    def __call__(self, line):
        say(line)
        self._append(_with_time(line))

    def __exit__(self, kind, error, trace):
        if error is not None:
            with contextlib.suppress(InputError):  # on a full disk, `error` is what the user must see
                self._append(_with_time(f"stopped: {kind.__name__}: {error}"))

    def _append(self, text):
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise InputError(write_error_message(self.path, error)) from error


def _with_time(line):
    return f"{datetime.now().isoformat(timespec='seconds')} {printable_lines(line)}\n"
