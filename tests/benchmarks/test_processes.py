"""Measuring a process."""

import sys

import pytest

from pix2seq_keras.benchmarks.processes import run_measured
from pix2seq_keras.errors import InputError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


def test_time_and_memory_of_a_process_are_measured():
    small = run_measured("-c", "import time; time.sleep(0.2)")
    large = run_measured("-c", "import time; block = bytearray(b'1') * 200_000_000; time.sleep(0.6)")

    assert small.seconds >= 0.2 and large.seconds >= 0.6
    assert 180 < large.peak_own_mb - small.peak_own_mb < 250
    assert large.peak_mb >= large.peak_own_mb


def test_a_process_that_fails_is_an_error():
    with pytest.raises(InputError, match="A process of the benchmark failed: -c raise SystemExit"):
        run_measured("-c", "raise SystemExit(3)")
