"""`pix2seq export`."""

import time
from pathlib import Path

from pix2seq_keras import presets
from pix2seq_keras.commands.decoding_options import chosen_sampler
from pix2seq_keras.errors import InputError

FORMATS = ("saved_model", "tflite")


def export(
    model: str,
    output: str,
    format: str = "saved_model",
    quantize: str | None = None,
    default: str | None = None,
    attend: bool | None = None,
    max_objects: int | None = None,
    sampler: str = "top_p",
    top_p: float | None = None,
    constrained: bool = True,
    multi_label: bool | None = None,
    coordinate_window: float | None = None,
    stop_at_end: bool = False,
    readings: int | None = None,
    mirror: bool | None = None,
    seed: int = 0,
    max_pixels: int | None = None,
    version: int | None = None,
):
    """Write a model for TensorFlow Serving or for devices, with the reading loop inside.

    Args:
        model: preset, run folder, preset folder or .keras file
        output: folder of the model's versions, of which a server serves the highest; or a .tflite file
        format: saved_model or tflite
        quantize: of a .tflite file's weights: none (the default), float16 or dynamic (8 bits)
        default: what serving_default takes: image_bytes (the default), or tensor as TensorFlow's detection exporters do
        attend: whether a SavedModel has a signature that tells where the model looked; the default is no
        max_objects: objects to read out of an image; by default as many as the model can
        sampler: greedy, top_k, top_p or beam_search
        top_p: of the sampler top_p, the mass of the most likely tokens that are drawn from, above 0 to 1; 0.4 by
            default, as published. Several readings agree on more with 0.8
        constrained: whether the grammar keeps every object well-formed
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        coordinate_window: how far from the chosen bin, as a share of the canvas's side, bins are averaged to a
            coordinate; 0 takes the bin itself, as published, and is the default with --constrained false; else 0.02
        stop_at_end: whether reading ends at the end token
        readings: of a SavedModel, sequences to draw of every image; scores and boxes are what they agree on. 1 by
            default; more find more, in as many times the decoding
        mirror: of a SavedModel, whether half of the readings, an even number, are of the mirrored image; the default
            is no
        seed: of the sampling
        max_pixels: a SavedModel refuses larger images; the default is 40 million
        version: number of the SavedModel's version; by default the next one
    """
    if format not in FORMATS:
        raise InputError(f"Unknown format: {format!r}. Use {' or '.join(FORMATS)}.")
    for_server = {
        "default": default,
        "attend": attend,
        "readings": readings,
        "mirror": mirror,
        "max_pixels": max_pixels,
    }
    only = {"quantize": quantize} if format == "saved_model" else for_server | {"version": version}
    wrong = [f"--{name}" for name, value in only.items() if value is not None]
    if wrong:
        raise InputError(f"{', '.join(wrong)} cannot be chosen with --format {format}.")
    if format == "saved_model" and output.endswith(".tflite"):
        raise InputError(f"A SavedModel is a folder. Received: --output {output}. Add --format tflite to have a file.")
    sampler = chosen_sampler(sampler, top_p)

    from pix2seq_keras.inference import open_model
    from pix2seq_keras.models import Pix2Seq

    start, detector = time.monotonic(), open_model(model)
    if not isinstance(detector, Pix2Seq):
        raise InputError(f"{model} is exported already: give the preset, run or .keras file that it came from.")
    how = {"max_objects": max_objects, "sampler": sampler, "constrained": constrained, "multi_label": multi_label}
    how |= {"coordinate_window": coordinate_window, "stop_at_end": stop_at_end, "seed": seed}
    how |= {"preset": model if model in presets.list_presets() else None}
    if format == "saved_model":
        how |= {name: value for name, value in for_server.items() if value is not None}
        path = detector.export(output, verbose=False, version="next" if version is None else version, **how)
    else:
        path = detector.export(output, "litert", verbose=False, quantize=quantize or "none", **how)
    megabytes = sum(file.stat().st_size for file in [path, *Path(path).rglob("*")] if file.is_file()) / 1e6
    print(f"{path} ({megabytes:.1f} MB, {time.monotonic() - start:.0f} s)")
