"""How fast a model reads images out: our ways, the plain ways, and what the machine would allow, in one run."""

import statistics

import keras
import numpy as np
import tensorflow as tf

from pix2seq_keras.benchmarks import machine
from pix2seq_keras.benchmarks.early_exit import make_ending_decoder
from pix2seq_keras.benchmarks.plain_decoding import make_plain_decoder, make_uncached_step
from pix2seq_keras.benchmarks.processes import run_measured
from pix2seq_keras.decoding import DecodingOptions, samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models import Pix2Seq
from pix2seq_keras.models.generation import cache_lengths, cache_write, start_decoding
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# Longer than this for one run of the plain way, and it is not run again.
PATIENCE_S = 60
STEPS_AT_A_TIME = 50
UNCACHED_LENGTHS = 5  # prefixes at which a step without cache is timed; between them it is interpolated

IN_A_PROCESS = """
import sys
from pix2seq_keras import Pix2Seq
import keras, numpy as np
keras.utils.set_random_seed(0)
preset, batch_size, max_objects, sampler, what = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
model = Pix2Seq.from_preset(preset, weights=None)
images = np.random.default_rng(0).random((batch_size, *model.image_size, 3), dtype=np.float32)
if what == "encode":
    np.array(model.encoder_function()(images))
else:
    np.array(model.generate(images, max_objects=max_objects, sampler=sampler)["tokens"])
"""


def measure_generation(preset="resnet50_640", batch_size=1, max_objects=100, repeats=5, sampler="top_p"):
    """Times encoding and decoding with random weights, and measures memory in processes of their own.

    Args:
        preset: str, name of a preset.
        batch_size: int, images at once.
        max_objects: int, five tokens each; nothing stops early.
        repeats: int, rounds after the warm-up; each round runs every way once, medians are given.
        sampler: str, see `samplers`.

    Returns:
        Dictionary. Seconds of the whole batch: `"encode_s"`; `"decode_s"`, ours compiled by XLA, as `detect` does over
        many images, and `"compile_s"` before its first run; `"decode_graph_s"`, ours as a plain graph, as a single
        call does; `"decode_plain_s"` and `"decode_uncached_s"`, see `plain_decoding`;
        `"floor_s"`, see `floor_seconds`; `"extrapolated"`, a list of those that were not run to their end.
        `"tokens_per_s"` of `decode_s`. `"encode_peak_mb"` and `"generate_peak_mb"` of fresh processes and
        `"cache_mb"`, the bytes of the caches. `"step_ratio"` and `"step_ratio_graph"`: a step's time ten tokens before
        the end over that ten after the start. `"early_exit_ratio"` and `"early_exit_ratio_graph"`: the time of a
        decoder that is made to end after three objects over that of one that is not. And the machine:
        `"bandwidth_gb_s"`, `"gemm_gflop_s"`, `"threads"`, `"cpu"`.

    Raises:
        InputError: if a number is out of range, there is no such preset, or a process fails.
    """
    if batch_size < 1 or repeats < 1:
        raise InputError(f"Give at least 1. Received: batch_size={batch_size}, repeats={repeats}")
    if isinstance(samplers.get(sampler), samplers.BeamSearch):
        raise InputError(f"Beam search has no plain way to be compared with: use another sampler. Received: {sampler}")
    keras.utils.set_random_seed(0)
    model = Pix2Seq.from_preset(preset, weights=None)
    options = DecodingOptions(max_objects=max_objects, sampler=sampler).complete(model.max_length)
    images = np.random.default_rng(0).random((batch_size, *model.image_size, 3), dtype=np.float32)
    images, seeds = tf.constant(images), tf.range(batch_size)
    encode, encoded = model.encoder_function(), model.encoder_function()(images)
    no_prompt = tf.zeros([batch_size, 0], tf.int32)
    compiled, graph = (model.decoder_function(options, jit_compile) for jit_compile in (True, False))
    plain = make_plain_decoder(model, options.max_objects, options.sampler)
    ways = {
        "encode_s": lambda: encode(images).numpy(),
        "decode_s": lambda: compiled(encoded, seeds, no_prompt)["tokens"].numpy(),
        "decode_graph_s": lambda: graph(encoded, seeds, no_prompt)["tokens"].numpy(),
        "decode_plain_s": lambda: plain(encoded, seeds, tf.constant(TOKENS_PER_OBJECT * options.max_objects)).numpy(),
    }
    # === Warm-up: everything is compiled once and the plain way, which may be slow, only started ===
    first = machine.seconds_of(ways["decode_s"])
    _ = ways["encode_s"](), ways["decode_graph_s"](), plain(encoded, seeds, tf.constant(5))
    # === Rounds: the ways take turns, so that the machine's moods meet all of them ===
    times = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            if name == "decode_plain_s" and times[name] and times[name][0] > PATIENCE_S:
                continue
            times[name].append(machine.seconds_of(way))
    result = {name: statistics.median(values) for name, values in times.items()}
    # === What it is held against ===
    bandwidth, gemm = machine.read_bandwidth(step_bytes(model, options, batch_size)), machine.gemm_rate()
    peaks = {
        f"{what}_peak_mb": run_measured(
            "-c", IN_A_PROCESS, preset, batch_size, options.max_objects, sampler, what
        ).peak_mb
        for what in ("encode", "generate")
    }
    result |= {
        "decode_uncached_s": _uncached_seconds(model, encoded, options, repeats),
        "early_exit_ratio": _early_exit_ratio(model, encoded, options, True, repeats),
        "early_exit_ratio_graph": _early_exit_ratio(model, encoded, options, False, repeats),
        "step_ratio": _step_ratio(model, encoded, options, True, repeats),
        "step_ratio_graph": _step_ratio(model, encoded, options, False, repeats),
        "floor_s": floor_seconds(model, options, batch_size, bandwidth, gemm),
        "compile_s": max(0.0, first - result["decode_s"]),
        "tokens_per_s": batch_size * TOKENS_PER_OBJECT * options.max_objects / result["decode_s"],
        "cache_mb": cache_bytes(model, options, batch_size) / 2**20,
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


def floor_seconds(model, options, batch_size, bandwidth, gemm):
    """What the decoding would take if every step read its bytes, or did its arithmetic, and nothing else.

    Each step reads the weights that it multiplies by, once for the batch, and for every image its cross keys and
    values and the filled part of its cache; it takes the longer of reading and computing.

    Args:
        model: `Pix2Seq`, of float32.
        options: `DecodingOptions`, complete.
        batch_size: int.
        bandwidth: float, bytes a second.
        gemm: float, operations a second.

    Returns:
        float, seconds.
    """
    weights, heads, per_position, positions = _sizes(model)
    total = 0.0
    for position in range(TOKENS_PER_OBJECT * options.max_objects):
        weight_count = weights + heads[position % 5]
        attended = per_position * (positions + position + 1)  # numbers of keys and values of one image
        read = 4 * (weight_count + batch_size * attended)
        operations = 2 * batch_size * (weight_count + attended)
        total += max(read / bandwidth, operations / gemm)
    return total


def step_bytes(model, options, batch_size):
    """What a step reads, half way."""
    weights, heads, per_position, positions = _sizes(model)
    return 4 * (
        weights + heads[0] + batch_size * per_position * (positions + TOKENS_PER_OBJECT * options.max_objects // 2)
    )


def cache_bytes(model, options, batch_size):
    """Bytes of all keys and values, of image and sequence."""
    _, _, per_position, positions = _sizes(model)
    return 4 * batch_size * per_position * (positions + TOKENS_PER_OBJECT * options.max_objects)


def _sizes(model):
    """Numbers a step multiplies by: of all blocks, of the head at each place, keys and values of one position."""
    config, vocabulary = model.decoder_config, model.vocabulary
    layers, dim, mlp_dim = config["decoder_layers"], config["decoder_dim"], config["decoder_mlp_dim"]
    weights = layers * (6 * dim * dim + 2 * dim * mlp_dim)  # q, k, v, out; cross q, out; MLP
    classes = dim * (vocabulary.num_classes + 2)
    heads = [dim * vocabulary.num_bins] * 4 + [classes]
    return weights, heads, 2 * layers * dim, int(np.prod(model.encoder.grid))


def _uncached_seconds(model, encoded, options, repeats):
    """Steps at some lengths of the prefix, and the area under the line through them."""
    step, batch = make_uncached_step(model), encoded.shape[0]
    lengths = np.unique(np.linspace(2, TOKENS_PER_OBJECT * options.max_objects, UNCACHED_LENGTHS).astype(int))
    seconds = []
    for length in lengths:
        tokens = tf.fill([batch, int(length)], model.vocabulary.start_token)
        run = lambda tokens=tokens: step(encoded, tokens).numpy()
        run()
        seconds.append(statistics.median(machine.seconds_of(run) for _ in range(repeats)))
    return float(np.interp(np.arange(1, TOKENS_PER_OBJECT * options.max_objects + 1), lengths, seconds).sum())


def _early_exit_ratio(model, encoded, options, jit_compile, repeats):
    """The time of a decoder that ends early over that of the same one that never does."""
    seeds, seconds = tf.range(encoded.shape[0]), {}
    for after in (min(3, options.max_objects - 1), options.max_objects):
        decoder = make_ending_decoder(model, options, after, jit_compile)
        run = lambda decoder=decoder: decoder(encoded, seeds).numpy()
        run()
        seconds[after] = statistics.median(machine.seconds_of(run) for _ in range(repeats))
    early, whole = seconds.values()
    return early / whole


def _step_ratio(model, encoded, options, jit_compile, repeats):
    """The time of a step near the end over that of one near the start, each done many times over."""
    seeds = tf.range(encoded.shape[0])
    no_prompt, near = tf.zeros([encoded.shape[0], 0], tf.int32), min(10, TOKENS_PER_OBJECT * options.max_objects // 2)
    seconds = {}
    for position in (near, TOKENS_PER_OBJECT * options.max_objects - near):
        # As in the loop: the cache is as long as its stage.
        length = next(length for length in cache_lengths(options, jit_compile) if length > position)

        @tf.function(autograph=False, jit_compile=jit_compile)
        def steps(encoded, position=position, length=length):
            loop, state = start_decoding(model, options, encoded, seeds, no_prompt, length, cache_write(jit_compile))
            again = lambda state: {**loop.decode_position(state), "position": tf.constant(position)}
            _, state = tf.while_loop(
                lambda count, state: count < STEPS_AT_A_TIME,
                lambda count, state: (count + 1, again(state)),
                (0, {**state, "position": tf.constant(position)}),
                parallel_iterations=1,
            )
            return state["tokens"]

        run = lambda steps=steps: steps(encoded).numpy()
        run()
        seconds[position] = statistics.median(machine.seconds_of(run) for _ in range(max(3, repeats)))
    return seconds[TOKENS_PER_OBJECT * options.max_objects - near] / seconds[near]
