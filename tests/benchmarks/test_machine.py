"""The measurements of the machine."""

from pix2seq_keras.benchmarks import machine


def test_bandwidth_and_rate_are_plausible():
    assert 1e7 < machine.read_bandwidth(4_000_000, repeats=3) < 1e13  # wide bounds: the machine may be busy
    assert 1e7 < machine.gemm_rate(512, repeats=3) < 1e15


def test_the_processors_have_a_number_and_a_name():
    assert machine.threads() >= 1 and machine.cpu_name()
