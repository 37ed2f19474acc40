"""The export benchmark: all results are measured and consistent."""

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.benchmarks.exporting import measure_export


def test_ratios_are_those_of_the_listed_times():
    result = measure_export("digits_tiny", batch_size=2, max_objects=1, repeats=1)
    in_python = result["encode_s"] + result["decode_graph_s"]
    for signature in ("tensor", "bytes"):
        ratio = result[f"saved_model_{signature}_s"] / in_python
        assert result[f"{signature}_ratio"] == pytest.approx(ratio, rel=1e-3)
    assert 5 < result["export_mb"] < 50 and result["export_s"] > 0 and result["load_s"] > 0
    assert (result["batch_size"], result["max_objects"]) == (2, 1)


def test_numbers_below_one_are_refused():
    with pytest.raises(InputError, match="must be at least 1"):
        measure_export("digits_tiny", repeats=0)
