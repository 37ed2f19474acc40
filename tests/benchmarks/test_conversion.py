"""The conversion benchmark."""

import sys

import pytest

from pix2seq_keras.benchmarks.conversion import measure_conversion
from pix2seq_keras.errors import InputError


@pytest.mark.large
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_converting_a_full_size_checkpoint_stays_within_time_and_memory_limits():
    result = measure_conversion("vit_b_640")

    assert result["output_mb"] == pytest.approx(result["checkpoint_mb"], rel=0.02)
    assert result["convert_peak_own_over_checkpoint"] <= 2.5
    assert result["convert_s"] <= 60


def test_an_unknown_preset_is_refused():
    with pytest.raises(InputError, match="no published model 'nonsense'"):
        measure_conversion("nonsense")
