"""Converts a model to TFLite in every way there is, and says what each costs and keeps.

    python export/tflite/compare.py --model digits_tiny --data digits --split test --output runs/tflite

OUTPUT gets none.tflite, float16.tflite, dynamic.tflite, the SavedModel they are held against, compare.json and
compare.png; the table is printed as Markdown. With --sampler greedy nothing is left to chance: then an object differs
from TensorFlow's only where the numbers led elsewhere.
"""

import argparse
import collections
import statistics
import sys
import time
from pathlib import Path

import numpy as np

# isort: off
import pix2seq_keras  # noqa: F401  (first, for it silences TensorFlow)
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from pycocotools import mask

# isort: on
from plot import save_plot  # beside this file

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
SAME = 0.9  # IoU from which two boxes are of one object
SEEN = 0.5  # score from which the objects of TensorFlow are looked for among those of a file


def main(arguments=None):
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="preset, run folder, preset folder or .keras file")
    parser.add_argument("--data", required=True, help="data source, such as coco:DIR or digits")
    parser.add_argument("--split", default="test")
    parser.add_argument("--output", type=Path, required=True, help="folder for files, figures and numbers")
    parser.add_argument("--max-images", type=int, help="only so many images")
    parser.add_argument("--max-objects", type=int, help="objects to read out of an image")
    parser.add_argument("--sampler", default="top_p", help="greedy, top_k or top_p")
    parser.add_argument("--repeats", type=int, default=30, help="images that are timed")
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
    """Converts, times and scores.

    Args:
        model: str, REF of a model in Python.
        data, split: str, the images.
        output: `Path` of a folder.
        max_images: int or `None` for all.
        max_objects: int or `None` for as many as the model can read.
        sampler: str.
        repeats: int, rounds of the timing, an image each.

    Returns:
        Dictionary: what was asked for, the machine, `"tensorflow"` (AP), `"saved_model"` (size and latency) and
        `"variants"`, name -> dictionary.
    """
    if repeats < 1:
        raise InputError(f"Give at least 1. Received: repeats={repeats}")
    detector = open_model(model)
    if not isinstance(detector, Pix2Seq):
        raise InputError(f"{model} is exported already: give the preset, run or .keras file that it came from.")
    source = open_source(data, split)
    require_writable_folder(output)
    how = {"max_objects": max_objects, "sampler": sampler}
    # === Files ===
    variants = {name: convert(detector, output / f"{name}.tflite", name, how) for name in QUANTIZATIONS}
    for values in variants.values():
        values["size_over_float32"] = values["size_mb"] / variants["none"]["size_mb"]
    start = time.perf_counter()
    saved = detector.export(output / "saved_model", verbose=False, **how)
    saved_model = {"export_s": time.perf_counter() - start, "size_mb": size_mb(saved)}
    # === Time ===
    times = time_side_by_side(output, saved, source, detector.image_size, repeats)
    saved_model |= times["saved_model"]
    for name, values in variants.items():
        one_thread = times[name, THREADS[0]]
        values["latency_ms"] = [times[name, threads]["latency_ms"] for threads in THREADS]
        values["processor_ms"] = one_thread["processor_ms"]
        values["latency_over_saved_model"] = one_thread["latency_ms"] / saved_model["latency_ms"]
    # === Objects ===
    print("scoring the model in Python", file=sys.stderr)
    reference, truth = score(detector, source, max_images, how)
    for name, values in variants.items():
        print(f"scoring {name}", file=sys.stderr)
        found, objects = score(open_model(output / f"{name}.tflite"), source, max_images, {})
        values |= {"AP": found["AP"], "AP_difference": (found["AP"] or 0) - (reference["AP"] or 0)}
        values["same_objects"] = same_objects(truth, objects)
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


def convert(detector, path, quantize, how):
    """Writes one variant: dictionary of its size and the time that it took."""
    print(f"converting {quantize}", file=sys.stderr)
    start = time.perf_counter()
    detector.export(path, "litert", quantize=quantize, verbose=False, **how)
    seconds = time.perf_counter() - start
    return {"convert_s": seconds, "size_mb": size_mb(path), "operators": operators(path.read_bytes())}


def time_side_by_side(output, saved, source, image_size, repeats):
    """Times all files on the same canvases, in turns, so that the machine's moods meet all of them.

    Returns:
        Dictionary: `"saved_model"` and pairs (variant, threads) -> dictionary of medians: `"latency_ms"`, and
        `"processor_ms"` of all threads together, in which others on the machine do not count.
    """
    loaded = tf.saved_model.load(str(saved)).signatures["tensor"]
    ways = {"saved_model": lambda canvas, unpadded: loaded(input_tensor=tf.constant(canvas))["detection_boxes"].numpy()}
    for name in QUANTIZATIONS:
        for threads in THREADS:
            ways[name, threads] = lite_way(output / f"{name}.tflite", threads)
    times = {way: [] for way in ways}
    examples = (source.read_or_report(index % len(source)) for index in range(repeats + 1))
    for round_, example in enumerate(example for example in examples if example is not None):
        canvas, unpadded = canvas_pixels(example["image"], image_size)
        for way, run in ways.items():
            run(canvas[None], unpadded[None])  # after another's turn the caches are not its own
            start, start_processor = time.perf_counter(), time.process_time()
            run(canvas[None], unpadded[None])
            seconds, processor = time.perf_counter() - start, time.process_time() - start_processor
            if round_:  # the first warms up
                times[way].append((1000 * seconds, 1000 * processor))
    if not times["saved_model"]:
        raise InputError("There are too few readable images to time anything.")
    medians = {way: map(statistics.median, zip(*values, strict=True)) for way, values in times.items()}
    return {way: dict(zip(("latency_ms", "processor_ms"), values, strict=True)) for way, values in medians.items()}


def lite_way(path, threads):
    interpreter = Interpreter(str(path), num_threads=threads)
    runner = interpreter.get_signature_runner("serving_default")
    return lambda canvas, unpadded: runner(images=canvas, unpadded_size=unpadded)


def score(detector, source, max_images, how):
    """The scores, and all objects that were found."""
    how = {name: value for name, value in how.items() if value is not None}
    result, evaluator = evaluate_source(detector, source, 32, max_images, **how)
    return result, evaluator.detections_json()


def same_objects(expected, found):
    """The share of the expected objects, scored at least 0.5, that were found again: same image and class, IoU ≥ 0.9.

    Arithmetic of fewer bits moves the mean of a coordinate's bins by fractions of a bin: no box is quite the same.
    """
    boxes = collections.defaultdict(list)
    for row in found:
        boxes[row["image_id"], row["category_id"]].append(row["bbox"])
    wanted = [row for row in expected if row["score"] >= SEEN]
    again = []
    for row in wanted:
        there = np.array(boxes[row["image_id"], row["category_id"]], float).reshape(-1, 4)
        again.append(
            mask.iou(np.array([row["bbox"]], float), there, [0] * len(there)).max() >= SAME if len(there) else 0
        )
    return float(np.mean(again)) if wanted else 1.0


def markdown(result):
    """The table, as it stands in the README."""
    lines = [
        "| variant | MB | of float32 | 1 thread ms | of SavedModel | 2 threads ms | processor ms | same objects | AP | "
        "convert s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in result["variants"].items():
        lines.append(
            f"| `{name}` | {one['size_mb']:.2f} | {one['size_over_float32']:.2f} | {one['latency_ms'][0]:.1f} | "
            f"{one['latency_over_saved_model']:.2f} | {one['latency_ms'][1]:.1f} | {one['processor_ms']:.1f} | "
            f"{one['same_objects']:.1%} | {_score(one['AP'])} ({one['AP_difference']:+.4f}) | {one['convert_s']:.0f} |"
        )
    saved = result["saved_model"]
    lines.append(
        f"| SavedModel | {saved['size_mb']:.2f} | | | | {saved['latency_ms']:.1f} | {saved['processor_ms']:.1f} | | "
        f"{_score(result['tensorflow']['AP'])} | {saved['export_s']:.0f} |"
    )
    return "\n".join(lines)


def size_mb(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def _score(value):
    return "—" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(main())
