"""What this machine can do: how fast it reads memory and multiplies matrices."""

import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf


def seconds_of(function):
    """The wall time of one call: float."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def read_bandwidth(num_bytes, repeats=15):
    """The best rate at which a step's bytes can be read.

    Tried with the step's own size, twice and four times as much (smaller ones would fit nearer caches than the step
    does), as a matrix-vector product of NumPy's BLAS over all threads, which does little else than read.

    Args:
        num_bytes: int, what a step reads.
        repeats: int, of each size; their median counts, as everywhere in the benchmarks.

    Returns:
        float, bytes a second.
    """
    columns, vector = 1024, np.ones(1024, np.float32)
    rates = []
    for size in (num_bytes, 2 * num_bytes, 4 * num_bytes):
        rows = max(1, int(size) // (4 * columns))
        matrix = np.random.default_rng(0).random((rows, columns), dtype=np.float32)
        rates.append(matrix.nbytes / _median(lambda matrix=matrix: matrix @ vector, repeats))
    return max(rates)


def gemm_rate(size=2048, repeats=8):
    """The rate of a large float32 matrix product in TensorFlow, in operations a second (two a multiply-add)."""
    matrix = tf.random.stateless_normal([size, size], (0, 1))
    multiply = tf.function(lambda: tf.matmul(matrix, matrix))
    return 2 * size**3 / _median(lambda: multiply().numpy(), repeats)


def threads():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def cpu_name():
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _median(function, repeats):
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
