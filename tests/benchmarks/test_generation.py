"""The generation benchmark: all results are measured and consistent."""

import json
import sys

import pytest

from pix2seq_keras import InputError, cli
from pix2seq_keras.benchmarks.generation import measure_generation


@pytest.mark.large
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_the_command_measures_everything_and_writes_it(tmp_path, capsys):
    options = ["--batch-size", "2", "--max-objects", "2", "--repeats", "1", "--json", str(tmp_path / "a.json")]

    assert cli.main(["benchmark", "generation", "--preset", "digits_tiny", *options]) == 0

    printed = capsys.readouterr().out
    result = json.loads((tmp_path / "a.json").read_text())
    times = ["encode", "decode", "decode_graph", "decode_plain", "decode_uncached", "lower_bound", "compile"]
    names = ["tokens_per_s", "encode_peak_mb", "generate_peak_mb", "cache_mb", "bandwidth_gb_s", "gemm_gflop_s"]
    names += ["step_ratio", "early_exit_ratio_graph", *(f"{name}_s" for name in times)]
    assert all(result[name] > 0 for name in names)
    assert result["extrapolated"] == ["decode_uncached_s"]
    assert (result["batch_size"], result["max_objects"], result["preset"]) == (2, 2, "digits_tiny")
    assert result["tokens_per_s"] == pytest.approx(2 * 10 / result["decode_s"], rel=0.02)
    assert "decode_graph_s" in printed and "times as fast as plain decoding" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"repeats": 0}, "repeats=0"),
        ({"preset": "nonsense"}, "nonsense"),
        ({"preset": "digits_tiny", "max_objects": 10_000}, "max_objects"),
        ({"preset": "digits_tiny", "max_objects": 2, "sampler": "nonsense"}, "`sampler` must be one of"),
        ({"preset": "digits_tiny", "sampler": "beam_search"}, "must not be a beam search"),
    ],
)
def test_invalid_arguments_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        measure_generation(**options)
