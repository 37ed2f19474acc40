"""The conversion benchmark runs through."""

import sys

import pytest

from pix2seq_keras.benchmarks.conversion import measure_conversion
from pix2seq_keras.errors import InputError


@pytest.mark.large
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_a_full_size_checkpoint_is_converted_within_its_bounds():
    result = measure_conversion("vit_b_640")

    assert result["output_mb"] == pytest.approx(result["checkpoint_mb"], rel=0.02)
    assert result["convert_peak_own_over_checkpoint"] <= 2.5
    assert result["convert_s"] <= 60


def test_an_unknown_preset_is_a_sentence():
    with pytest.raises(InputError, match="no published model 'nonsense'"):
        measure_conversion("nonsense")
