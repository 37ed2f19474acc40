"""Compares the TFLite variants of a model: size, latency, and agreement with TensorFlow.

    python export/tflite/compare.py --model digits_tiny --data digits --split test --output runs/tflite

The program writes none.tflite, float16.tflite and dynamic.tflite (one per quantization), the SavedModel that they are
compared with, compare.json and compare.png to OUTPUT, and prints the table as Markdown. With --sampler greedy decoding
is deterministic: objects then differ from TensorFlow's only because of arithmetic.
"""

import argparse
import collections
import statistics
import sys
import time
from pathlib import Path

import numpy as np

# isort: off
import pix2seq_keras  # noqa: F401  (first: it silences TensorFlow's log)
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from pycocotools import mask

# isort: on
from plot import save_plot  # from this folder

from pix2seq_keras.atomic_files import require_writable_folder, write_json
from pix2seq_keras.benchmarks import machine
from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import evaluate_source
from pix2seq_keras.exporting.tflite.write import QUANTIZATIONS, operators
from pix2seq_keras.inference import open_model
from pix2seq_keras.inference.tflite import canvas_pixels
from pix2seq_keras.models import Pix2Seq

THREADS = (1, 2)
MIN_IOU = 0.9  # of two boxes of the same object
MIN_SCORE = 0.5  # of TensorFlow's objects that are compared


def main(arguments=None):
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="preset, run folder, preset folder or .keras file")
    parser.add_argument("--data", required=True, help="data source, such as coco:DIR or digits")
    parser.add_argument("--split", default="test")
    parser.add_argument("--output", type=Path, required=True, help="output folder")
    parser.add_argument("--max-images", type=int, help="evaluate only the first images")
    parser.add_argument("--max-objects", type=int, help="objects to generate per image")
    parser.add_argument("--sampler", default="top_p", help="greedy, top_k or top_p")
    parser.add_argument("--repeats", type=int, default=30, help="images for the timing")
    options = parser.parse_args(arguments)
    try:
        result = compare(**vars(options))
        write_json(options.output / "compare.json", result)
        save_plot(result, options.output / "compare.png")
    except InputError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(markdown(result))
    return 0


def compare(model, data, split, output, max_images=None, max_objects=None, sampler="top_p", repeats=30):
    """Converts a model, and measures time and accuracy of all variants.

    Args:
        model: str, preset, run folder, preset folder or .keras file.
        data: str, data source.
        split: str, its split.
        output: `Path` of the output folder.
        max_images: int, or `None` for all images.
        max_objects: int, objects per image, or `None` for as many as the model can generate.
        sampler: str, see `samplers`.
        repeats: int, images for the timing.

    Returns:
        Dictionary with the arguments, `"machine"`, `"tensorflow"` (AP), `"saved_model"` (size and latency) and
        `"variants"`, a dictionary of name to results.

    Raises:
        InputError: if the model is exported already, or an argument is invalid.
    """
    if repeats < 1:
        raise InputError(f"--repeats must be at least 1. Received: --repeats {repeats}")
    detector = open_model(model)
    if not isinstance(detector, Pix2Seq):
        raise InputError(
            f"--model must not be an exported model. Received: --model {model}. Use the preset, run or .keras file."
        )
    source = open_source(data, split)
    require_writable_folder(output)
    decoding = {"max_objects": max_objects, "sampler": sampler}
    # === Files ===
    variants = {name: convert(detector, output / f"{name}.tflite", name, decoding) for name in QUANTIZATIONS}
    for values in variants.values():
        values["size_over_float32"] = values["size_mb"] / variants["none"]["size_mb"]
    start = time.perf_counter()
    saved = detector.export(output / "saved_model", verbose=False, **decoding)
    saved_model = {"export_s": time.perf_counter() - start, "size_mb": size_mb(saved)}
    # === Latency ===
    times = measure_latency(output, saved, source, detector.image_size, repeats)
    saved_model |= times["saved_model"]
    for name, values in variants.items():
        one_thread = times[name, THREADS[0]]
        values["latency_ms"] = [times[name, threads]["latency_ms"] for threads in THREADS]
        values["processor_ms"] = one_thread["processor_ms"]
        values["latency_over_saved_model"] = one_thread["latency_ms"] / saved_model["latency_ms"]
    # === Accuracy ===
    print("evaluating the model in Python", file=sys.stderr)
    reference, expected = score(detector, source, max_images, decoding)
    for name, values in variants.items():
        print(f"evaluating {name}", file=sys.stderr)
        scores, objects = score(open_model(output / f"{name}.tflite"), source, max_images, {})
        values |= {"AP": scores["AP"], "AP_difference": (scores["AP"] or 0) - (reference["AP"] or 0)}
        values["same_objects"] = same_objects(expected, objects)
    return {
        "model": model,
        "data": data,
        "split": split,
        "num_images": reference["num_images"],
        "max_objects": max_objects,
        "sampler": sampler,
        "repeats": repeats,
        "tensorflow": {"AP": reference["AP"]},
        "saved_model": saved_model,
        "variants": variants,
        "threads": list(THREADS),
        "machine": {"processors": machine.threads(), "cpu": machine.cpu_name()},
    }


def convert(detector, path, quantize, decoding):
    """Writes one variant.

    Args:
        detector: `Pix2Seq`.
        path: `Path` of the .tflite file.
        quantize: str, see `QUANTIZATIONS`.
        decoding: dictionary of decoding options.

    Returns:
        Dictionary with `"convert_s"`, `"size_mb"` and `"operators"`.
    """
    print(f"converting {quantize}", file=sys.stderr)
    start = time.perf_counter()
    detector.export(path, "litert", quantize=quantize, verbose=False, **decoding)
    seconds = time.perf_counter() - start
    return {"convert_s": seconds, "size_mb": size_mb(path), "operators": operators(path.read_bytes())}


def measure_latency(output, saved, source, image_size, repeats):
    """Times all files on the same canvases.

    Every image is run by all of them in turn, so slower phases of the machine affect all alike.

    Args:
        output: `Path` of the folder with the .tflite files.
        saved: path of the SavedModel.
        source: `Source` of the images.
        image_size: (H, W), the canvas.
        repeats: int, images.

    Returns:
        Dictionary of `"saved_model"` and (variant, threads) to a dictionary of medians: `"latency_ms"`, and
        `"processor_ms"`, the CPU time of all threads, which other programs do not affect.
    """
    loaded = tf.saved_model.load(str(saved)).signatures["tensor"]
    runs = {"saved_model": lambda canvas, unpadded: loaded(input_tensor=tf.constant(canvas))["detection_boxes"].numpy()}
    for name in QUANTIZATIONS:
        for threads in THREADS:
            runs[name, threads] = tflite_run(output / f"{name}.tflite", threads)
    times = {key: [] for key in runs}
    examples = (source.read_or_report(index % len(source)) for index in range(repeats + 1))
    for round_, example in enumerate(example for example in examples if example is not None):
        canvas, unpadded = canvas_pixels(example["image"], image_size)
        for key, run in runs.items():
            run(canvas[None], unpadded[None])  # fills the caches again after the other variants
            start, start_processor = time.perf_counter(), time.process_time()
            run(canvas[None], unpadded[None])
            seconds, processor = time.perf_counter() - start, time.process_time() - start_processor
            if round_:  # the first warms up
                times[key].append((1000 * seconds, 1000 * processor))
    if not times["saved_model"]:
        raise InputError("--split must have at least two readable images, for the timing.")
    medians = {key: map(statistics.median, zip(*values, strict=True)) for key, values in times.items()}
    return {key: dict(zip(("latency_ms", "processor_ms"), values, strict=True)) for key, values in medians.items()}


def tflite_run(path, threads):
    """A function (canvas, unpadded_size) that runs a .tflite file."""
    interpreter = Interpreter(str(path), num_threads=threads)
    runner = interpreter.get_signature_runner("serving_default")
    return lambda canvas, unpadded: runner(images=canvas, unpadded_size=unpadded)


def score(detector, source, max_images, decoding):
    """Evaluates a detector: the dictionary of scores, and the list of its detections as in COCO's JSON."""
    decoding = {name: value for name, value in decoding.items() if value is not None}
    result, evaluator = evaluate_source(detector, source, 32, max_images, **decoding)
    return result, evaluator.detections_json()


def same_objects(expected, detected):
    """The share of the expected objects that are detected: same image and class, IoU of at least 0.9.

    Boxes are not compared for equality: lower precision moves a refined coordinate by fractions of a bin.

    Args:
        expected: list of detections of TensorFlow, as in COCO's JSON. Only those scored at least 0.5 count.
        detected: list of detections of a variant.

    Returns:
        float in [0, 1].
    """
    boxes = collections.defaultdict(list)
    for row in detected:
        boxes[row["image_id"], row["category_id"]].append(row["bbox"])
    matched = []
    for row in (row for row in expected if row["score"] >= MIN_SCORE):
        candidates = np.array(boxes[row["image_id"], row["category_id"]], float).reshape(-1, 4)
        iou = mask.iou(np.array([row["bbox"]], float), candidates, [0] * len(candidates)) if len(candidates) else None
        matched.append(iou is not None and iou.max() >= MIN_IOU)
    return float(np.mean(matched)) if matched else 1.0


def markdown(result):
    """Formats the results as the Markdown table of the README: str."""
    lines = [
        "| variant | MB | / float32 | 1 thread ms | / SavedModel | 2 threads ms | CPU ms | same objects | AP "
        "| convert s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in result["variants"].items():
        lines.append(
            f"| `{name}` | {row['size_mb']:.2f} | {row['size_over_float32']:.2f} | {row['latency_ms'][0]:.1f} | "
            f"{row['latency_over_saved_model']:.2f} | {row['latency_ms'][1]:.1f} | {row['processor_ms']:.1f} | "
            f"{row['same_objects']:.1%} | {_score(row['AP'])} ({row['AP_difference']:+.4f}) | {row['convert_s']:.0f} |"
        )
    saved = result["saved_model"]
    lines.append(
        f"| SavedModel | {saved['size_mb']:.2f} | | | | {saved['latency_ms']:.1f} | {saved['processor_ms']:.1f} | | "
        f"{_score(result['tensorflow']['AP'])} | {saved['export_s']:.0f} |"
    )
    return "\n".join(lines)


def size_mb(path):
    """The size of a file or folder in MB (10⁶ bytes): float."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def _score(value):
    return "—" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(main())
