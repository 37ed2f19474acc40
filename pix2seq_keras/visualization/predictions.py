"""Pictures in, annotated pictures and one JSON out."""

import json
import os
from pathlib import Path

import numpy as np

from pix2seq_keras.data.pictures import PictureError, read_picture
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import coco_results
from pix2seq_keras.evaluation.progress import progress_bar
from pix2seq_keras.visualization.drawing import draw_detections
from pix2seq_keras.visualization.gallery import save_picture

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def find_pictures(paths):
    """Pictures and folders of pictures -> list of pictures.

    Args:
        paths: list of paths; folders are searched with all below them, in the order of their names.

    Returns:
        List of `Path`.

    Raises:
        InputError: if a path is missing or a folder holds no picture.
    """
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
            if not inside:
                raise InputError(f"The folder {path} holds no picture ({', '.join(PICTURE_SUFFIXES)}).")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"There is no picture or folder {path}.")
    return found


def predict_pictures(detector, paths, output, json_path=None, threshold=0.5, batch_size=8, **detect_options):
    """Detects objects in pictures, draws them, and writes them as COCO JSON.

    A picture that cannot be read is left out and reported; the others go on.

    Args:
        detector: anything with `.detect` and `.categories`.
        paths: list of pictures and folders.
        output: folder for the annotated PNGs; it is made if need be.
        json_path: path of the JSON; `None` puts `predictions.json` into `output`.
        threshold: float, score from which a box is drawn and written.
        batch_size: int, pictures at once.
        **detect_options: of `detect`.

    Returns:
        The dictionary that the JSON holds: `"images"` (id, file_name, width, height, annotated), `"categories"`, and
        `"annotations"` (id, image_id, category_id, bbox [x, y, width, height] in pixels, area, score).
        And a list of sentences about pictures that were left out.

    Raises:
        InputError: if there is nothing to read, or the output cannot be written.
    """
    pictures = find_pictures(paths)
    output = Path(output)
    json_path = Path(json_path) if json_path else output / "predictions.json"
    for folder in (output, json_path.parent):
        _make_folder(folder)
    categories = detector.categories
    names = _output_names(pictures)
    images, annotations, problems = [], [], []
    with progress_bar("predicting", len(pictures)) as advance:
        for start in range(0, len(pictures), batch_size):
            paths_here = pictures[start : start + batch_size]
            batch = []
            for path in paths_here:
                try:
                    batch.append((path, read_picture(path)))
                except PictureError as error:
                    problems.append(str(error))
            if batch:
                arrays = [array for _, array in batch]
                arrays += arrays[-1:] * (batch_size - len(arrays)) if start else []  # one shape, one graph
                detections = detector.detect(arrays, batch_size=batch_size, **detect_options)
                for row, (path, array) in enumerate(batch):
                    one = {name: values[row] for name, values in detections.items() if name != "num_detections"}
                    _keep(one, path, array, names[path], output, categories, threshold, images, annotations)
            advance(len(paths_here))
    result = {
        "images": images,
        "categories": [{"id": id_, "name": name} for id_, name in zip(categories.ids, categories.names, strict=True)],
        "annotations": annotations,
    }
    temporary = json_path.with_name(f".{json_path.name}.tmp")
    try:
        temporary.write_text(json.dumps(result, indent=1) + "\n")
        os.replace(temporary, json_path)
    except OSError as error:
        raise InputError(f"The predictions cannot be written to {json_path}: {error.strerror}.") from error
    return result, problems


def _keep(detections, path, array, name, output, categories, threshold, images, annotations):
    """Draws one picture's detections and appends its records."""
    good = (detections["classes"] >= 0) & (detections["scores"] >= threshold)
    one = {key: np.asarray(values)[good] for key, values in detections.items()}
    image_id = len(images) + 1
    height, width = array.shape[:2]
    drawn = draw_detections(array, one["boxes"], one["classes"], one["scores"], categories.names)
    save_picture(output / name, drawn)
    images.append({"id": image_id, "file_name": str(path), "width": width, "height": height, "annotated": name})
    for record in coco_results(image_id, (height, width), one, categories):
        area = record["bbox"][2] * record["bbox"][3]
        annotations.append({"id": len(annotations) + 1, **record, "area": area, "iscrowd": 0})


def _output_names(pictures):
    """A file name of its own for every annotated picture, also where two folders hold the same name."""
    names, taken = {}, set()
    for path in pictures:
        stem, number = path.stem, 1
        name = f"{stem}.png"
        while name in taken:
            number += 1
            name = f"{stem}_{number}.png"
        taken.add(name)
        names[path] = name
    return names


def _make_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"Nothing can be written to {folder}: {error.strerror}.") from error
