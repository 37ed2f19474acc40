"""How fast a model generates sequences: ours, two baselines, and the machine's lower bound, in one run."""

import keras
import numpy as np
import tensorflow as tf

from pix2seq_keras.benchmarks import lower_bound, machine
from pix2seq_keras.benchmarks.baselines import make_plain_decoder, make_uncached_step
from pix2seq_keras.benchmarks.early_exit import make_early_exit_decoder
from pix2seq_keras.benchmarks.processes import run_measured
from pix2seq_keras.benchmarks.timing import interleaved_medians, median_seconds, seconds_of
from pix2seq_keras.decoding import DecodingOptions, samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models import Pix2Seq
from pix2seq_keras.models.generation import cache_lengths, cache_write, start_decoding
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

SLOW_BASELINE_S = 60  # a plain baseline that takes longer is measured in the first round only
STEPS_PER_MEASUREMENT = 50
UNCACHED_LENGTHS = 5  # sequence lengths at which the uncached step is timed; the others are interpolated

# The program of the processes whose memory is measured: it encodes, or generates, one batch.
MEMORY_PROGRAM = """
import sys
from pix2seq_keras import Pix2Seq
import keras, numpy as np
keras.utils.set_random_seed(0)
preset, batch_size, max_objects, sampler, part = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
model = Pix2Seq.from_preset(preset, weights=None)
images = np.random.default_rng(0).random((batch_size, *model.image_size, 3), dtype=np.float32)
if part == "encode":
    np.array(model.encoder_function()(images))
else:
    np.array(model.generate(images, max_objects=max_objects, sampler=sampler)["tokens"])
"""


def measure_generation(preset="resnet50_640", batch_size=1, max_objects=100, repeats=5, sampler="top_p"):
    """Times encoding and decoding with random weights, and measures memory in processes of their own.

    Args:
        preset: str, name of a preset, default `"resnet50_640"`.
        batch_size: int, images per batch, default 1.
        max_objects: int, objects per image, five tokens each, default 100. No sequence ends early.
        repeats: int, rounds after the warm-up, default 5. Each round runs every variant once; medians are reported.
        sampler: str, see `samplers`, default `"top_p"`.

    Returns:
        Dictionary with seconds for the whole batch: `"encode_s"`; `"decode_s"`, compiled by XLA, as `detect` does for
        many images, and `"compile_s"`, the time before its first run; `"decode_graph_s"`, as a graph without XLA, as a
        single call does; `"decode_plain_s"` and `"decode_uncached_s"`, see `baselines`; `"lower_bound_s"`, see
        `lower_bound_seconds`; and `"extrapolated"`, the names of those that were not run to the end.
        `"tokens_per_s"` belongs to `decode_s`. `"encode_peak_mb"` and `"generate_peak_mb"` are the peak memory of
        fresh processes, `"cache_mb"` the size of the KV cache. `"step_ratio"` and `"step_ratio_graph"` are the time of
        a step ten tokens before the end divided by that of one ten tokens after the start. `"early_exit_ratio"` and
        `"early_exit_ratio_graph"` are the time of a decoder that ends after three objects divided by that of one that
        does not. The machine is described by `"bandwidth_gb_s"`, `"gemm_gflop_s"`, `"threads"` and `"cpu"`.

    Raises:
        InputError: if a number is out of range, there is no such preset, or a process fails.

    Example:
        >>> measure_generation("digits_tiny", max_objects=10)["decode_graph_s"]
        0.021
    """
    if batch_size < 1 or repeats < 1:
        raise InputError(
            f"`batch_size` and `repeats` must be at least 1. Received: batch_size={batch_size}, repeats={repeats}."
        )
    if isinstance(samplers.get(sampler), samplers.BeamSearch):
        raise InputError(
            f"`sampler` must not be a beam search, for which there is no baseline. Received: sampler={sampler}."
        )
    keras.utils.set_random_seed(0)
    model = Pix2Seq.from_preset(preset, weights=None)
    options = DecodingOptions(max_objects=max_objects, sampler=sampler).complete(model.max_length)
    length = TOKENS_PER_OBJECT * options.max_objects
    images = np.random.default_rng(0).random((batch_size, *model.image_size, 3), dtype=np.float32)
    images, seeds = tf.constant(images), tf.range(batch_size)
    encode, encoded = model.encoder_function(), model.encoder_function()(images)
    no_prompt = tf.zeros([batch_size, 0], tf.int32)
    compiled, graph = (model.decoder_function(options, jit_compile) for jit_compile in (True, False))
    plain_options = DecodingOptions(max_objects=max_objects, sampler=sampler, constrained=False)
    plain = make_plain_decoder(model, plain_options.complete(model.max_length))
    variants = {
        "encode_s": lambda: encode(images).numpy(),
        "decode_s": lambda: compiled(encoded, seeds, no_prompt)["tokens"].numpy(),
        "decode_graph_s": lambda: graph(encoded, seeds, no_prompt)["tokens"].numpy(),
        "decode_plain_s": lambda: plain(encoded, seeds, tf.constant(length)).numpy(),
    }
    # === Warm-up: everything is compiled; the plain baseline, which may be slow, decodes only five tokens ===
    first_run_s = seconds_of(variants["decode_s"])
    _ = variants["encode_s"](), variants["decode_graph_s"](), plain(encoded, seeds, tf.constant(5))
    # === Rounds ===
    too_slow = lambda name, seconds: name == "decode_plain_s" and seconds > SLOW_BASELINE_S
    result = interleaved_medians(variants, repeats, run_once=too_slow)
    # === Memory, lower bound, ratios ===
    bandwidth = machine.read_bandwidth(lower_bound.step_bytes(model, options, batch_size))
    gemm = machine.gemm_rate()
    peaks = {
        f"{part}_peak_mb": run_measured(
            "-c", MEMORY_PROGRAM, preset, batch_size, options.max_objects, sampler, part
        ).peak_mb
        for part in ("encode", "generate")
    }
    result |= {
        "decode_uncached_s": _uncached_seconds(model, encoded, length, repeats),
        "early_exit_ratio": _early_exit_ratio(model, encoded, options, True, repeats),
        "early_exit_ratio_graph": _early_exit_ratio(model, encoded, options, False, repeats),
        "step_ratio": _step_ratio(model, encoded, options, True, repeats),
        "step_ratio_graph": _step_ratio(model, encoded, options, False, repeats),
        "lower_bound_s": lower_bound.lower_bound_seconds(model, options, batch_size, bandwidth, gemm),
        "compile_s": max(0.0, first_run_s - result["decode_s"]),
        "tokens_per_s": batch_size * length / result["decode_s"],
        "cache_mb": lower_bound.cache_bytes(model, options, batch_size) / 2**20,
        "bandwidth_gb_s": bandwidth / 1e9,
        "gemm_gflop_s": gemm / 1e9,
        **peaks,
    }
    return {
        "preset": preset,
        **{name: float(f"{value:.5g}") for name, value in result.items()},
        "extrapolated": ["decode_uncached_s"],
        "batch_size": batch_size,
        "max_objects": options.max_objects,
        "sampler": sampler,
        "repeats": repeats,
        "threads": machine.threads(),
        "cpu": machine.cpu_name(),
    }


def _uncached_seconds(model, encoded, length, repeats):
    """The sum of uncached steps over all positions: timed at some lengths, linearly interpolated between them."""
    step, batch = make_uncached_step(model), encoded.shape[0]
    lengths = np.unique(np.linspace(2, length, UNCACHED_LENGTHS).astype(int))
    seconds = []
    for num_tokens in lengths:
        tokens = tf.fill([batch, int(num_tokens)], model.vocabulary.start_token)
        seconds.append(median_seconds(lambda tokens=tokens: step(encoded, tokens).numpy(), repeats))
    return float(np.interp(np.arange(1, length + 1), lengths, seconds).sum())


def _early_exit_ratio(model, encoded, options, jit_compile, repeats):
    """The time of a decoder that ends after three objects, divided by that of the same decoder that never ends."""
    seeds, seconds = tf.range(encoded.shape[0]), {}
    for num_objects in (min(3, options.max_objects - 1), options.max_objects):
        decoder = make_early_exit_decoder(model, options, num_objects, jit_compile)
        seconds[num_objects] = median_seconds(lambda decoder=decoder: decoder(encoded, seeds).numpy(), repeats)
    early, whole = seconds.values()
    return early / whole


def _step_ratio(model, encoded, options, jit_compile, repeats):
    """The time of a step near the end divided by that of one near the start; each is run many times in a loop."""
    seeds, no_prompt = tf.range(encoded.shape[0]), tf.zeros([encoded.shape[0], 0], tf.int32)
    length, write = TOKENS_PER_OBJECT * options.max_objects, cache_write(jit_compile)
    margin = min(10, length // 2)
    seconds = {}
    for position in (margin, length - margin):
        # As in decoding: the cache has the length of the stage that contains the position.
        cache_length = next(stage for stage in cache_lengths(options, jit_compile) if stage > position)

        @tf.function(autograph=False, jit_compile=jit_compile)
        def steps(encoded, position=position, cache_length=cache_length):
            loop, state = start_decoding(model, options, encoded, seeds, no_prompt, cache_length, write)
            repeat = lambda state: {**loop.decode_position(state), "position": tf.constant(position)}
            _, state = tf.while_loop(
                lambda count, state: count < STEPS_PER_MEASUREMENT,
                lambda count, state: (count + 1, repeat(state)),
                (0, {**state, "position": tf.constant(position)}),
                parallel_iterations=1,
            )
            return state["tokens"]

        seconds[position] = median_seconds(lambda steps=steps: steps(encoded).numpy(), max(3, repeats))
    return seconds[length - margin] / seconds[margin]
