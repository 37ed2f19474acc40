"""Time and memory by the number of objects on an image: it must not grow with the square."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pix2seq_keras.atomic_files import write_json
from pix2seq_keras.benchmarks.processes import run_measured
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 1600, 1200  # pixels
ROUNDS = 3  # the fastest counts
SPLIT = "train"
# A process of its own, so that its peak memory is that of one number of objects.
PROGRAM = "import sys; from pix2seq_keras.benchmarks import annotations as a; a.measure_in_process(*sys.argv[1:])"


def measure_annotations(objects=(1_000, 10_000, 100_000)):
    """Measures how long it takes to read, check and draw one image by the number of its objects.

    Args:
        objects: sequence of int ≥ 1, the numbers of objects. Defaults to 1,000, 10,000 and 100,000.

    Returns:
        List of dictionaries, one for each number: `"objects"`; `"read_cpu_s"`, to open a COCO file and read its image;
        `"read_one_id_cpu_s"`, the same where all annotations have the id 0; `"check_cpu_s"`, what
        `pix2seq data check --html` does; `"draw_cpu_s"`, to draw all boxes with class names and scores; and
        `"peak_own_mb"`, the peak memory of the process without the pages of program libraries.

    Raises:
        InputError: if a number is below 1, or a process fails.

    Example:
        >>> measure_annotations([1_000])[0]["check_cpu_s"]
        0.41
    """
    if not objects or min(objects) < 1:
        raise InputError(f"`objects` must be numbers of at least 1. Received: objects={list(objects)}")
    rows = []
    for count in objects:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result.json"
            measured = run_measured("-c", PROGRAM, folder, count, result)
            rows.append({**json.loads(result.read_text()), "peak_own_mb": round(measured.peak_own_mb, 1)})
    return rows


def measure_in_process(folder, count, path):
    """Measures one number of objects and writes the result, for `measure_annotations`.

    Args:
        folder: str, an empty folder, for the data.
        count: str or int, the number of objects.
        path: str, the JSON file to write.
    """
    from pix2seq_keras.data import open_source
    from pix2seq_keras.reports import check_source, write_data_page
    from pix2seq_keras.visualization import draw_detections

    folder, count = Path(folder), int(count)
    sources = {
        name: write_crowded_image(folder / name, count, name == "one_id") for name in ("warm_up", "ids", "one_id")
    }
    open_source(sources["warm_up"], SPLIT).read(0)  # imports and TensorFlow's first operations
    draw_detections(np.zeros((9, 9, 3), np.uint8), [[0, 0, 1, 1]], [0], [0.5], ["cell"])
    seconds = {
        "read_cpu_s": _cpu_seconds(lambda: open_source(sources["ids"], SPLIT).read(0)),
        "read_one_id_cpu_s": _cpu_seconds(lambda: open_source(sources["one_id"], SPLIT).read(0)),
        "check_cpu_s": _cpu_seconds(lambda: write_data_page(check_source(sources["ids"]), folder / "report.html")),
    }
    example, scores = open_source(sources["ids"], SPLIT).read(0), np.linspace(0, 1, count)
    draw = lambda: draw_detections(example["image"], example["boxes"], example["classes"], scores, ["cell"])
    seconds["draw_cpu_s"] = _cpu_seconds(draw)
    write_json(path, {"objects": count, **{name: round(value, 3) for name, value in seconds.items()}})


def _cpu_seconds(function):
    """CPU seconds of all threads, which depend less on other work of the machine than the wall time."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def write_crowded_image(folder, count, one_id=False):
    """Writes a COCO folder of one image with many small objects, as of nuclei, crowds or shelves.

    Args:
        folder: `Path`, the folder to write.
        count: int, the number of objects.
        one_id: bool, whether all annotations have the id 0, as some tools write it. Defaults to `False`.

    Returns:
        str, the source.
    """
    rng = np.random.default_rng(0)
    (folder / "annotations").mkdir(parents=True)
    (folder / SPLIT).mkdir()
    noise = rng.integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), np.uint8)
    Image.fromarray(noise).resize((WIDTH, HEIGHT)).save(folder / SPLIT / "0.png")
    corners, sides = rng.uniform(0, 1, (count, 2)) * [WIDTH - 20, HEIGHT - 20], rng.uniform(4, 20, (count, 2))
    boxes = np.round(np.concatenate([corners, sides], -1), 2)  # (count, 4) xywh
    same = {"image_id": 1, "category_id": 1, "iscrowd": 0}
    document = {
        "images": [{"id": 1, "file_name": "0.png", "width": WIDTH, "height": HEIGHT}],
        "annotations": [
            {"id": 0 if one_id else number, **same, "bbox": box, "area": box[2] * box[3]}
            for number, box in enumerate(boxes.tolist(), start=1)
        ],
        "categories": [{"id": 1, "name": "cell"}],
    }
    (folder / "annotations" / f"instances_{SPLIT}.json").write_text(json.dumps(document))
    return f"coco:{folder}"
