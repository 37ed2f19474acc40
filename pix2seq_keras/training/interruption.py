"""SIGTERM and SIGINT end a run at a point from which it can continue."""

import contextlib
import os
import signal
import threading

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class RunInterruptedError(Exception):
    """The run was asked to end. Whoever catches it saves the state and then calls `Interruption.end`."""


class Interruption:
    """Context in which the first SIGTERM or SIGINT is noted, and a second one ends the process at once.

    SLURM, Kubernetes and preemptible machines send SIGTERM some seconds before they kill a process; SIGINT is Ctrl+C.
    In another thread than the main one, signals have their usual effect.

    Attributes:
        signal: `signal.Signals` that arrived, or None.

    Example:
        >>> with Interruption() as interruption:
        ...     try:
        ...         train_until(lambda: interruption.signal)
        ...     except RunInterruptedError:
        ...         save()
        ...         interruption.end()
    """

    def __init__(self):
        self.signal = None
        self._raises = False
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self):
        """Raises `RunInterruptedError` if a signal has arrived."""
        if self.signal is not None:
            raise RunInterruptedError

    @contextlib.contextmanager
    def at_once(self):
        """Context for work that is done again after a resume, such as an evaluation: a signal ends it."""
        self._raises = True
        try:
            self.check()
            yield
        finally:
            self._raises = False

    def end(self):
        """Ends like a process that the signal ended: with status 143 (SIGTERM) or 130 (SIGINT).

        Raises:
            SystemExit: for SIGTERM.
            KeyboardInterrupt: for SIGINT, with which Python programs end by convention.
        """
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + self.signal)

    def _note(self, number, frame):
        if self.signal is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        self.signal = signal.Signals(number)
        # Not `print`: the signal may have come in the middle of one.
        os.write(2, f"\n{self.signal.name}: the run ends after this step. Once more ends it at once.\n".encode())
        if self._raises:
            raise RunInterruptedError
