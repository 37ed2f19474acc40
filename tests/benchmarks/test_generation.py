"""The generation benchmark: what it compares reads the same, what it computes is what it says."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError, Pix2Seq, samplers
from pix2seq_keras.benchmarks import generation, machine
from pix2seq_keras.benchmarks.early_exit import make_ending_decoder
from pix2seq_keras.benchmarks.plain_decoding import make_plain_decoder, make_uncached_step
from pix2seq_keras.benchmarks.profiling import profile_generation
from pix2seq_keras.decoding import DecodingOptions

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


def test_the_plain_way_reads_what_ours_reads(build_tiny_model, tiny_images):
    model = build_tiny_model(3, decoder_layers=2)
    ours = model.generate(tiny_images, sampler="greedy", constrained=False)["tokens"].numpy()
    encoded, seeds = model.encode(tiny_images), tf.zeros([8], tf.int32)

    plain = make_plain_decoder(model, 4, samplers.Greedy())

    np.testing.assert_array_equal(plain(encoded, seeds, 20), ours)
    np.testing.assert_array_equal(plain(encoded, seeds, 7), np.where(np.arange(20) < 7, ours, 0))


def test_a_step_without_cache_gives_the_next_token(tiny_model, tiny_images):
    ours = tiny_model.generate(tiny_images, sampler="greedy", constrained=False)["tokens"].numpy()
    encoded, step = tiny_model.encode(tiny_images), make_uncached_step(tiny_model)

    for length in (1, 9):
        shown = np.concatenate([np.ones((8, 1), np.int32), ours[:, : length - 1]], 1)
        np.testing.assert_array_equal(step(encoded, shown).numpy().argmax(-1), ours[:, length - 1])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_decoder_that_is_made_to_end_ends(tiny_model, tiny_images, jit_compile):
    options = DecodingOptions(sampler="greedy").complete(tiny_model.max_length)
    encoded, seeds = tiny_model.encode(tiny_images), tf.zeros([8], tf.int32)
    whole = tiny_model.generate(tiny_images, sampler="greedy")["tokens"].numpy()

    for after in (1, 4):
        tokens = make_ending_decoder(tiny_model, options, after, jit_compile)(encoded, seeds).numpy()

        np.testing.assert_array_equal(tokens, np.where(np.arange(20) < 5 * after, whole, 0))


def test_the_floor_is_bytes_over_bandwidth_or_operations_over_rate():
    model = Pix2Seq.from_preset("digits_tiny", weights=None)
    options = DecodingOptions(max_objects=2, sampler="greedy").complete(model.max_length)
    dim, mlp, layers, bins, classes, places = 128, 384, 2, 192, 10, 12 * 12
    config = model.decoder_config
    assert (config["decoder_dim"], config["decoder_mlp_dim"], config["decoder_layers"]) == (dim, mlp, layers)
    assert (model.vocabulary.num_bins, model.vocabulary.num_classes) == (bins, classes)
    numbers = []
    for position in range(10):
        weights = layers * (6 * dim * dim + 2 * dim * mlp) + dim * (classes + 2 if position % 5 == 4 else bins)
        numbers.append((weights, 2 * layers * dim * (places + position + 1)))

    read = sum(4 * (weights + 3 * attended) for weights, attended in numbers)
    computed = sum(2 * 3 * (weights + attended) for weights, attended in numbers)
    assert generation.floor_seconds(model, options, 3, bandwidth=1e9, gemm=1e15) == pytest.approx(read / 1e9)
    assert generation.floor_seconds(model, options, 3, bandwidth=1e15, gemm=1e9) == pytest.approx(computed / 1e9)
    cache = sum(tf.size(x).numpy() for x in tf.nest.flatten(model.decoder.init_cache(tf.zeros([3, places, dim]), 10)))
    assert generation.cache_bytes(model, options, 3) == 4 * cache


def test_the_machine_is_measured():
    assert 1e9 < machine.read_bandwidth(4_000_000, repeats=3) < 1e13
    assert 1e9 < machine.gemm_rate(512, repeats=3) < 1e15
    assert machine.threads() >= 1 and machine.cpu_name()


@linux
def test_the_command_measures_everything_and_writes_it(tmp_path):
    command = [sys.executable, "-m", "pix2seq_keras", "benchmark", "generation", "--preset", "digits_tiny"]
    options = ["--batch-size", "2", "--max-objects", "4", "--repeats", "2", "--json", str(tmp_path / "a.json")]

    done = subprocess.run([*command, *options], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "a.json").read_text())
    seconds = ["encode_s", "decode_s", "decode_graph_s", "decode_plain_s", "decode_uncached_s", "floor_s", "compile_s"]
    others = ["tokens_per_s", "encode_peak_mb", "generate_peak_mb", "cache_mb", "bandwidth_gb_s", "gemm_gflop_s"]
    assert all(result[name] > 0 for name in [*seconds, *others, "step_ratio", "early_exit_ratio_graph"])
    assert result["extrapolated"] == ["decode_uncached_s"]
    assert (result["batch_size"], result["max_objects"], result["preset"]) == (2, 4, "digits_tiny")
    assert result["tokens_per_s"] == pytest.approx(2 * 20 / result["decode_s"], rel=0.02)
    assert result["floor_s"] < result["decode_s"]
    assert "decode_graph_s" in done.stdout and "times the speed of the plain way" in done.stdout


def test_the_profile_names_operations():
    table = profile_generation("digits_tiny", batch_size=1, max_objects=2)

    assert "Compiled by XLA: digits_tiny, batch 1" in table and "As a graph: digits_tiny, batch 1" in table
    compiled, graph = table.split("### As a graph")
    assert "| dot" in compiled.lower() or "| fusion" in compiled.lower()
    assert "BatchMatMulV3" in graph


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"repeats": 0}, "repeats=0"),
        ({"preset": "nonsense"}, "nonsense"),
        ({"preset": "digits_tiny", "max_objects": 10_000}, "max_objects"),
        ({"preset": "digits_tiny", "max_objects": 2, "sampler": "nonsense"}, "`sampler` must be one of"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(options, says):
    with pytest.raises(InputError, match=says):
        generation.measure_generation(**options)
