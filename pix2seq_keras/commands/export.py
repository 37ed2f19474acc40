"""`pix2seq export`."""

import time
from pathlib import Path
from typing import Any

from pix2seq_keras.decoding.options import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.export import find_format
from pix2seq_keras.terminal import say


def export(
    model: str,
    output: str,
    decoding: dict[str, Any],
    format: str = "saved_model",
    quantize: str | None = None,
    default: str | None = None,
    cross_attention: bool | None = None,
    max_pixels: int | None = None,
    version: int | None = None,
) -> None:
    """Write a model for TensorFlow Serving or for devices, with the decoding loop inside.

    Args:
        model: preset, run folder, preset folder or .keras file
        output: folder of the model's versions, of which a server serves the highest; or a .tflite file
        decoding: decoding options that were given; they are fixed in the exported model
        format: saved_model or tflite
        quantize: how a .tflite file keeps weights: none (the default), float16 or dynamic (8 bits)
        default: what serving_default of a SavedModel takes: image_bytes (the default), or tensor as TensorFlow's
            detection exporters do
        cross_attention: whether a SavedModel has the signature cross_attention; the default is no
        max_pixels: images of more pixels are refused by a SavedModel; the default is 40 million
        version: number of the SavedModel's version; by default the next one
    """
    chosen = find_format(format)
    parameters = {
        "quantize": quantize,
        "default": default,
        "cross_attention": cross_attention,
        "max_pixels": max_pixels,
        "version": version,
    }
    parameters = {name: value for name, value in parameters.items() if value is not None}
    chosen.check(parameters, DecodingOptions.resolve(**decoding))
    if chosen.name == "saved_model":
        if output.endswith(".tflite"):
            raise InputError(f"--output must be a folder. Received: --output {output}. Add --format tflite for a file.")
        parameters = {"version": "next", **parameters}

    from pix2seq_keras import presets
    from pix2seq_keras.inference import open_model
    from pix2seq_keras.models import Pix2Seq

    start, detector = time.monotonic(), open_model(model)
    if not isinstance(detector, Pix2Seq):
        raise InputError(f"--model must not be an exported model. Received: --model {model}. Give what it came from.")
    preset = model if model in presets.list_presets() else None
    path = detector.export(output, chosen.keras_name, verbose=False, preset=preset, **parameters, **decoding)
    megabytes = sum(file.stat().st_size for file in [path, *Path(path).rglob("*")] if file.is_file()) / 1e6
    say(f"{path} ({megabytes:.1f} MB, {time.monotonic() - start:.0f} s)")
