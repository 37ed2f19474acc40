"""`pix2seq benchmark …`."""

from pathlib import Path

from pix2seq_keras.benchmarks.conversion import measure_conversion
from pix2seq_keras.benchmarks.exporting import measure_export
from pix2seq_keras.benchmarks.generation import measure_generation
from pix2seq_keras.benchmarks.profiling import profile_generation
from pix2seq_keras.writing import replacing, require_writable_file, write_json


def conversion(preset: str = "vit_b_640", json: str | None = None):
    """Measure how long converting a published checkpoint takes, and how much memory.

    Args:
        preset: published model; a checkpoint of it with random weights is written first
        json: file for the result
    """
    if json is not None:
        require_writable_file(Path(json))
    result = measure_conversion(preset)
    for name, value in result.items():
        print(f"{name:34} {value}")
    if json is not None:
        write_json(Path(json), result)


def generation(
    preset: str = "resnet50_640",
    batch_size: int = 1,
    max_objects: int = 100,
    sampler: str = "top_p",
    repeats: int = 5,
    json: str | None = None,
    profile: str | None = None,
):
    """Measure how fast a model reads pictures out, against plain ways and the machine's limits.

    Args:
        preset: model, with random weights
        batch_size: pictures at once
        max_objects: objects to read out of each, five tokens an object; nothing stops early
        sampler: greedy, top_k or top_p
        repeats: rounds after the warm-up; medians are given
        json: file for the result
        profile: file for a table of the time of each operation, compiled and as a graph
    """
    for path in filter(None, (json, profile)):
        require_writable_file(Path(path))
    result = measure_generation(preset, batch_size, max_objects, repeats, sampler)
    for name, value in result.items():
        print(f"{name:22} {value}")
    for name in ("decode_s", "decode_graph_s"):
        plain, floor = (result[other] for other in ("decode_plain_s", "floor_s"))
        print(f"{name}: {plain / result[name]:.1f} times the speed of the plain way, {result[name] / floor:.2f} floors")
    if json is not None:
        write_json(Path(json), result)
    if profile is not None:
        table = profile_generation(preset, batch_size, max_objects, sampler)
        with replacing(profile) as file:
            file.write(table)


def export(
    preset: str = "resnet50_640",
    batch_size: int = 1,
    max_objects: int | None = None,
    repeats: int = 5,
    json: str | None = None,
):
    """Measure how long exporting takes, and whether a SavedModel is as fast as the model in Python.

    Args:
        preset: model, with random weights
        batch_size: pictures at once
        max_objects: objects to read out of each; by default as many as the model can
        repeats: rounds after the warm-up; medians are given
        json: file for the result
    """
    if json is not None:
        require_writable_file(Path(json))
    result = measure_export(preset, batch_size, max_objects, repeats)
    for name, value in result.items():
        print(f"{name:22} {value}")
    if json is not None:
        write_json(Path(json), result)
