"""The time of decoding by kind of operation."""

import collections
import re
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.models import Pix2Seq
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

MAX_ROWS = 20


def profile_generation(preset="resnet50_640", batch_size=1, max_objects=100, sampler="top_p"):
    """Decodes once under TensorFlow's profiler, compiled by XLA and as a graph.

    Args:
        preset: str, name of a preset, default `"resnet50_640"`.
        batch_size: int, images per batch, default 1.
        max_objects: int, objects per image, default 100.
        sampler: str, see `samplers`, default `"top_p"`.

    Returns:
        str, two Markdown tables with the kinds of operations, their calls per step, microseconds per call, and shares
        of the time. Kinds are the operations' names without numbers. The profiler itself slows the run down.

    Raises:
        InputError: if a number is out of range, or there is no such preset.

    Example:
        >>> print(profile_generation("digits_tiny", max_objects=10))
    """
    keras.utils.set_random_seed(0)
    model = Pix2Seq.from_preset(preset, weights=None)
    options = DecodingOptions(max_objects=max_objects, sampler=sampler).complete(model.max_length)
    shape = model.bridge.compute_output_shape(model.encoder.compute_output_shape((batch_size, *model.image_size, 3)))
    encoded = tf.random.stateless_normal(shape, (0, 1), dtype=model.compute_dtype)
    arguments = (encoded, tf.range(batch_size), tf.zeros([batch_size, 0], tf.int32))
    tables = []
    for title, jit_compile in (("Compiled by XLA", True), ("As a graph", False)):
        decoder = model.decoder_function(options, jit_compile)
        decoder(*arguments)
        times = _profiled(lambda decoder=decoder: decoder(*arguments)["tokens"].numpy())
        tables.append(_table(f"{title}: {preset}, batch {batch_size}", times, TOKENS_PER_OBJECT * options.max_objects))
    return "\n".join(tables)


def _profiled(run):
    """Runs a function under the profiler: dictionary of kind of operation to (calls, seconds)."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2  # not part of TensorFlow's public interface

    profiler_options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3, python_tracer_level=0)
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder, options=profiler_options):
            run()
        space = xplane_pb2.XSpace()
        for path in Path(folder).rglob("*.xplane.pb"):
            space.MergeFromString(path.read_bytes())
    calls, seconds = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            ends = collections.Counter()
            for event in sorted(line.events, key=lambda event: (event.offset_ps, -event.duration_ps)):
                kind = _kind(plane.event_metadata[event.metadata_id].name)
                # Some operations are recorded twice, by their caller and by themselves, one within the other.
                if kind is None or event.offset_ps < ends[kind]:
                    continue
                ends[kind] = event.offset_ps + event.duration_ps
                calls[kind] += 1
                seconds[kind] += event.duration_ps / 1e12
    return {kind: (calls[kind], seconds[kind]) for kind in seconds}


def _kind(name):
    """The kind of a recorded event, or `None` for events that only contain others.

    `dot.12` is of the kind `dot`, and `while/body/MatMul_3:_FusedMatMul` of the kind `_FusedMatMul`.
    """
    name = name.split("#")[0].split(":")[-1].strip()
    kind = re.sub(r"([._]\d+)+$", "", name)
    containers = (
        "Execut",
        "Process",
        "Run",
        "Await",
        "BlockUntil",
        "TFE_",
        "decoder",
        "__inference",
        "while",
        "Record",
    )
    return None if not kind or kind.startswith((*containers, "Eager", "StartRegion", "StopRegion", "Memory")) else kind


def _table(title, times, steps):
    total = sum(seconds for _, seconds in times.values())
    lines = [f"### {title}", "", "| operation | calls a step | µs a call | share |", "|---|--:|--:|--:|"]
    for kind, (calls, seconds) in sorted(times.items(), key=lambda item: -item[1][1])[:MAX_ROWS]:
        lines.append(f"| {kind} | {calls / steps:.1f} | {seconds / calls * 1e6:.1f} | {seconds / total:.0%} |")
    return "\n".join(lines) + "\n"
