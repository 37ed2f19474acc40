"""Time and memory of a separate Python process."""

import dataclasses
import subprocess
import sys
import time
from pathlib import Path

from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Time and memory of a process.

    Args:
        seconds: float, wall time.
        peak_mb: float, peak resident memory in MB (2²⁰ bytes), shared libraries included.
        peak_own_mb: float, peak anonymous memory in MB: without the pages of shared libraries, which processes share
            and the system can drop.
    """

    seconds: float
    peak_mb: float
    peak_own_mb: float


def run_measured(*arguments):
    """Runs a Python process and measures it.

    Memory is read from /proc every 10 ms, which only Linux has.

    Args:
        *arguments: the arguments of `python`.

    Returns:
        `Measurement`.

    Raises:
        InputError: if the process fails, or there is no /proc.

    Example:
        >>> run_measured("-c", "import tensorflow").peak_mb
        612.5
    """
    if not Path("/proc/self/status").exists():
        raise InputError("Memory is measured through /proc, which only Linux has. Run the benchmark on Linux.")
    peaks = {"VmHWM": 0.0, "RssAnon": 0.0}
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in peaks:
                peaks[name] = max(peaks[name], int(value.split()[0]) / 1024)
        time.sleep(0.01)
    seconds = time.monotonic() - start
    if process.returncode:
        raise InputError(f"A process of the benchmark failed: {' '.join(map(str, arguments))}")
    return Measurement(seconds, peaks["VmHWM"], peaks["RssAnon"])
