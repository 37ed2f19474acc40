"""What this machine can do: its memory bandwidth, its rate of matrix multiplication, and its processors."""

import os
import platform
from pathlib import Path

import numpy as np
import tensorflow as tf

from pix2seq_keras.benchmarks.timing import median_seconds


def read_bandwidth(num_bytes, repeats=15):
    """Measures how fast memory of about the size that a decoding step reads can be read.

    It times matrix-vector products of NumPy's BLAS on all threads, which memory bandwidth limits. The matrix has the
    size of the step, twice and four times that size. (A smaller one could fit into a faster cache than the step does.)
    The highest of the three rates counts.

    Args:
        num_bytes: int, bytes that a step reads.
        repeats: int, products of each size; the median counts.

    Returns:
        float, bytes per second.
    """
    columns, vector = 1024, np.ones(1024, np.float32)
    rates = []
    for size in (num_bytes, 2 * num_bytes, 4 * num_bytes):
        rows = max(1, int(size) // (4 * columns))
        matrix = np.random.default_rng(0).random((rows, columns), dtype=np.float32)
        rates.append(matrix.nbytes / median_seconds(lambda matrix=matrix: matrix @ vector, repeats))
    return max(rates)


def gemm_rate(size=2048, repeats=8):
    """Measures the rate of a large float32 matrix product in TensorFlow.

    Args:
        size: int, rows and columns of the matrices.
        repeats: int, products; the median counts.

    Returns:
        float, operations per second; a multiply-add is two.
    """
    matrix = tf.random.stateless_normal([size, size], (0, 1))
    multiply = tf.function(lambda: tf.matmul(matrix, matrix))
    return 2 * size**3 / median_seconds(lambda: multiply().numpy(), repeats)


def threads():
    """The number of processors that this process may use: int."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def cpu_name():
    """The processor's name according to the operating system: str."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
