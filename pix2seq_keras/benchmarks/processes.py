"""Time and memory of a Python process of its own."""

import dataclasses
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What a process took.

    Args:
        seconds: float, wall time.
        peak_mb: float, the most memory it held, program libraries included.
        peak_own_mb: float, the most it held of its own ("anonymous"): without the pages of program libraries, which
            processes share and the system can drop.
        output: str, what it printed.
    """

    seconds: float
    peak_mb: float
    peak_own_mb: float
    output: str


def run_measured(*arguments):
    """Runs Python with arguments and watches it.

    Args:
        *arguments: what follows `python` on the command line.

    Returns:
        `Measurement`. Memory is read from /proc every 10 ms, so on Linux only.

    Raises:
        InputError: if the process fails, or there is no /proc.
    """
    if not Path("/proc/self/status").exists():
        raise InputError("Memory is measured through /proc, which this system does not have: run it on Linux.")
    peaks = {"VmHWM": 0.0, "RssAnon": 0.0}
    with tempfile.TemporaryFile("w+") as printed:  # a pipe that nobody reads would fill and stop the process
        start = time.monotonic()
        process = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=printed, text=True)
        while process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in peaks:
                    peaks[name] = max(peaks[name], int(value.split()[0]) / 1024)
            time.sleep(0.01)
        seconds = time.monotonic() - start
        if process.returncode:
            raise InputError(f"A process of the benchmark failed: {' '.join(map(str, arguments))}")
        printed.seek(0)
        return Measurement(seconds, peaks["VmHWM"], peaks["RssAnon"], printed.read())
