"""The profile of decoding."""

from pix2seq_keras.benchmarks.profiling import profile_generation


def test_the_profile_names_operations():
    table = profile_generation("digits_tiny", batch_size=1, max_objects=2)

    assert "Compiled by XLA: digits_tiny, batch 1" in table and "As a graph: digits_tiny, batch 1" in table
    compiled, graph = table.split("### As a graph")
    assert "| dot" in compiled.lower() or "| fusion" in compiled.lower()
    assert "BatchMatMulV3" in graph
