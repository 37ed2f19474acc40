"""Images in, annotated images and one JSON file out."""

import collections
import contextlib
import itertools
import os
from pathlib import Path

import numpy as np

from pix2seq_keras.atomic_files import refuse_to_overwrite, require_writable_folder
from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.read_image import MAX_PIXELS, read_image
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES, is_image_name
from pix2seq_keras.data.sources.unused_files import count_and_names, may_be_missed
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.labels import categories_of
from pix2seq_keras.inference.coco_results import coco_results
from pix2seq_keras.inference.detector import detect_each
from pix2seq_keras.inference.prediction_file import PredictionFile, journal_of
from pix2seq_keras.progress import progress_bar
from pix2seq_keras.ranges import require_count, require_share
from pix2seq_keras.visualization.drawing import draw_detections
from pix2seq_keras.visualization.gallery import save_image

_MAX_NAME_BYTES = 255


def find_images(paths):
    """Images and folders of images -> list of images.

    Args:
        paths: list of paths; folders are searched with all below them, in the order of their names.

    Returns:
        List of `Path`.

    Raises:
        InputError: if a path is missing or a folder holds no image.
    """
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if is_image_name(p.name) and p.is_file())
            if not inside:
                others = unused_files([path])
                holds = f", but {others}" if others else ""
                raise InputError(f"The folder {path} holds no image ({', '.join(IMAGE_SUFFIXES)}){holds}.")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"There is no image or folder {path}.")
    return found


def unused_files(paths):
    """Says which files in folders are no images by their endings, but may be meant as such.

    Args:
        paths: list of paths, as `find_images` takes them.

    Returns:
        str, such as "2 files, such as 'photos/a.arw', 'photos/b.psd'", or "" if there are none.
    """
    folders = [path for path in map(Path, paths) if path.is_dir()]
    names = [str(p) for path in folders for p in sorted(path.rglob("*")) if may_be_missed(p.name) and p.is_file()]
    return count_and_names(names) if names else ""


def predict_images(detector, paths, output, json_path=None, threshold=0.5, batch_size=8, resume=False, **overrides):
    """Detects objects in images, draws them, and writes them as COCO JSON.

    An image that cannot be read is left out, one whose annotated copy cannot be written has its objects in the JSON;
    both are reported, and the others go on.

    Args:
        detector: object with `detect` and `categories`; if these are None, with a `vocabulary`. A detector with a true
            `prefers_files` is given paths instead of pixels, and one with `max_pixels` no larger images.
        paths: list of images and folders.
        output: path of the folder for the annotated PNGs; it is made if need be.
        json_path: path of the JSON; None puts `predictions.json` into `output`.
        threshold: float, score from which a box is drawn and written.
        batch_size: int, images in each call of the detector.
        resume: bool, whether images that an earlier run into `output` has done are skipped; their records stay.
        **overrides: fields of `DecodingOptions`.

    Returns:
        The dictionary that the JSON holds: `"info"` (threshold and options), `"categories"`, `"images"` (id, file_name,
        width, height, annotated: null where it could not be written), and `"annotations"` (id, image_id, category_id,
        bbox [x, y, width, height] in pixels, area, score).
        And a list of sentences, about images that were left out, then about annotated images that were not written.

    Raises:
        InputError: if there is nothing to read, a number is out of range, or the output cannot be written or would
            overwrite an image.
    """
    require_count("batch_size", batch_size)
    require_share("threshold", threshold)
    files = find_images(paths)
    output = Path(output)
    json_path = Path(json_path) if json_path else output / "predictions.json"
    for folder in (output, json_path.parent):
        require_writable_folder(folder)
    categories = categories_of(detector)
    refuse_to_overwrite([json_path, journal_of(json_path)], files, "The JSON")
    results = PredictionFile(json_path, categories, {"threshold": threshold, "options": overrides}, resume)
    earlier = {path: name for path in files if (name := results.annotated(str(path)))}
    earlier = {path: name for path, name in earlier.items() if (output / Path(name).name).is_file()}
    names = _output_names([path for path in files if path not in earlier], {*earlier.values(), json_path.name})
    refuse_to_overwrite([output / name for name in names.values()], files, "The annotated images")
    problems, unwritten = [], []
    with contextlib.closing(results), progress_bar("predicting", len(names)) as advance:
        read, feed = itertools.tee(_readable(names, getattr(detector, "max_pixels", MAX_PIXELS), problems, advance))
        inputs = (path if getattr(detector, "prefers_files", False) else pixels for path, pixels in feed)
        found = detect_each(detector, inputs, batch_size=batch_size, num_images=len(names), **overrides)
        for (path, pixels), objects in zip(read, found, strict=True):
            if isinstance(objects, ImageError):  # an exported model may be stricter than `read_image`
                problems.append(str(objects))
            else:
                _keep(objects, path, pixels, output / names[path], categories, threshold, results, unwritten)
        return results.write([str(path) for path in files]), problems + unwritten


def _readable(files, max_pixels, problems, advance):
    """Yields (path, pixels) of every image that can be read; the reasons for the others go to `problems`."""
    for path in files:
        try:
            yield path, read_image(path, max_pixels=max_pixels)
        except ImageError as error:
            problems.append(str(error))
        advance()


def _keep(detections, path, array, target, categories, threshold, results, unwritten):
    """Draws one image's detections and adds its records."""
    good = (detections["classes"] >= 0) & (detections["scores"] >= threshold)
    one = {key: np.asarray(detections[key])[good] for key in ("boxes", "classes", "scores")}
    height, width = array.shape[:2]
    annotated = target.name
    try:
        save_image(target, draw_detections(array, one["boxes"], one["classes"], one["scores"], categories.names))
    except (InputError, OSError) as error:  # a full disk, or a folder of that name
        annotated = None
        unwritten.append(f"The annotated image of {path} is missing: {error}")
    annotations = []
    for record in coco_results(0, (height, width), one, categories):
        annotations.append({**record, "area": record["bbox"][2] * record["bbox"][3], "iscrowd": 0})
    results.add({"file_name": str(path), "width": width, "height": height, "annotated": annotated}, annotations)


def _output_names(images, taken):
    """A file name of its own for every annotated image, also where two folders hold the same name."""
    names, taken, numbers = {}, set(taken), collections.Counter()
    for path in dict.fromkeys(images):
        name = _file_name(path.stem)
        while name in taken:
            numbers[path.stem] += 1
            name = _file_name(path.stem, f"_{numbers[path.stem] + 1}")
        taken.add(name)
        names[path] = name
    return names


def _file_name(stem, end=""):
    """A stem as the name of a PNG file, shortened to the bytes that file systems take."""
    while len(os.fsencode(f"{stem}{end}.png")) > _MAX_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem}{end}.png"
