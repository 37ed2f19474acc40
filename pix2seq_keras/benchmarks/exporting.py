"""How long exporting takes, and how fast the exported model is compared with the model in Python."""

import io
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from pix2seq_keras.benchmarks import machine
from pix2seq_keras.benchmarks.timing import interleaved_medians, seconds_of
from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.models import Pix2Seq


def measure_export(preset="resnet50_640", batch_size=1, max_objects=100, repeats=5, weights=None):
    """Exports a preset as a SavedModel, and times it and the same model in Python in one run.

    Args:
        preset: str, name of a preset, default `"resnet50_640"`.
        batch_size: int, images per batch, default 1. They are JPEGs of the canvas's size.
        max_objects: int, objects per image, default 100, or `None` for as many as the model can generate.
        repeats: int, rounds after the warm-up, default 5. Each round runs every variant once; medians are reported.
        weights: as in `Pix2Seq.from_preset`; `None`, the default, for random ones.

    Returns:
        Dictionary. `"export_s"` and `"export_mb"` are the time and size of the SavedModel, `"load_s"` the time to load
        it. Seconds for the whole batch: `"encode_s"` and `"decode_graph_s"`, in Python; `"saved_model_tensor_s"`, of
        the signature `tensor`; `"saved_model_bytes_s"`, of the signature `serving_default`, which decodes JPEGs too,
        and `"first_call_s"`, of its first call. `"tensor_ratio"` and `"bytes_ratio"` are the signatures' times divided
        by encode_s + decode_graph_s. The machine is described by `"threads"` and `"cpu"`.

    Raises:
        InputError: if a number is out of range, or there is no such preset.

    Example:
        >>> measure_export("digits_tiny", max_objects=10)["tensor_ratio"]
        1.05
    """
    if batch_size < 1 or repeats < 1:
        raise InputError(
            f"`batch_size` and `repeats` must be at least 1. Received: batch_size={batch_size}, repeats={repeats}."
        )
    keras.utils.set_random_seed(0)
    model = Pix2Seq.from_preset(preset, weights=weights)
    options = DecodingOptions(max_objects=max_objects).complete(model.max_length)
    images, encoded = _images(batch_size, model.image_size)
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        folder = model.export(Path(scratch) / "model", max_objects=max_objects, verbose=False)
        export_s = time.perf_counter() - start
        megabytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
        start = time.perf_counter()
        signatures = tf.saved_model.load(str(folder)).signatures
        load_s = time.perf_counter() - start
        result = _time_variants(model, options, images, encoded, signatures, repeats)
    in_python = result["encode_s"] + result["decode_graph_s"]
    result |= {
        "export_s": export_s,
        "export_mb": megabytes,
        "load_s": load_s,
        "tensor_ratio": result["saved_model_tensor_s"] / in_python,
        "bytes_ratio": result["saved_model_bytes_s"] / in_python,
    }
    return {
        "preset": preset,
        **{name: float(f"{value:.5g}") for name, value in result.items()},
        "batch_size": batch_size,
        "max_objects": options.max_objects,
        "repeats": repeats,
        "threads": machine.threads(),
        "cpu": machine.cpu_name(),
    }


def _time_variants(model, options, images, encoded, signatures, repeats):
    """Median seconds of each variant, and the seconds of the first call from encoded images."""
    encode, decode = model.encoder_function(), model.decoder_function(options)
    canvases, seeds = tf.constant(images / np.float32(255)), tf.zeros([len(images)], tf.int32)
    image_vectors, no_prompt = encode(canvases), tf.zeros([len(images), 0], tf.int32)
    from_tensor, from_bytes = signatures["tensor"], signatures["serving_default"]
    variants = {
        "encode_s": lambda: encode(canvases).numpy(),
        "decode_graph_s": lambda: decode(image_vectors, seeds, no_prompt)["tokens"].numpy(),
        "saved_model_tensor_s": lambda: from_tensor(input_tensor=tf.constant(images))["detection_boxes"].numpy(),
        "saved_model_bytes_s": lambda: from_bytes(image_bytes=tf.constant(encoded))["detection_boxes"].numpy(),
    }
    first = {name: seconds_of(function) for name, function in variants.items()}
    return interleaved_medians(variants, repeats) | {"first_call_s": first["saved_model_bytes_s"]}


def _images(count, size):
    """Smooth images: uint8 (count, H, W, 3), and the list of their JPEG files as bytes."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 12, 16, 3), dtype=np.uint8)
    images, encoded = [], []
    for pixels in coarse:
        image, file = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC), io.BytesIO()
        image.save(file, "JPEG", quality=90)
        images.append(np.asarray(image))
        encoded.append(file.getvalue())
    return np.stack(images), encoded
