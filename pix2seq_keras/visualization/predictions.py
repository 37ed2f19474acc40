"""Pictures in, annotated pictures and one JSON out."""

from pathlib import Path

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.pictures import MAX_PIXELS, PictureError, read_picture
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import coco_results
from pix2seq_keras.evaluation.progress import progress_bar
from pix2seq_keras.inference import RefusedPicturesError, options_for_run
from pix2seq_keras.visualization.drawing import draw_detections
from pix2seq_keras.visualization.gallery import save_picture
from pix2seq_keras.writing import require_writable_folder, write_json

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
        detector: anything with `.detect` and `.categories`; where these are `None`, with a `.vocabulary`. One that says
            `.prefers_files` is given paths instead of pixels, and one with `.max_pixels` no larger pictures.
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
        InputError: if there is nothing to read, or the output cannot be written or would overwrite a picture.
    """
    pictures = find_pictures(paths)
    output = Path(output)
    json_path = Path(json_path) if json_path else output / "predictions.json"
    for folder in (output, json_path.parent):
        require_writable_folder(folder)
    categories = detector.categories or Categories.from_names(
        f"class {index}" for index in range(detector.vocabulary.num_classes)
    )
    names = _output_names(pictures)
    _refuse_to_overwrite(pictures, [output / name for name in names.values()])
    detect_options = options_for_run(detector, len(pictures), batch_size, detect_options)
    max_pixels = getattr(detector, "max_pixels", MAX_PIXELS)
    images, annotations, problems = [], [], []
    with progress_bar("predicting", len(pictures)) as advance:
        for start in range(0, len(pictures), batch_size):
            paths_here = pictures[start : start + batch_size]
            batch = []
            for path in paths_here:
                try:
                    batch.append((path, read_picture(path, max_pixels=max_pixels)))
                except PictureError as error:
                    problems.append(str(error))
            batch, detections = _detected(detector, batch, batch_size, start > 0, detect_options, problems)
            for row, (path, array) in enumerate(batch):
                one = {name: values[row] for name, values in detections.items() if name != "num_detections"}
                _keep(one, path, array, names[path], output, categories, threshold, images, annotations)
            advance(len(paths_here))
    result = {
        "images": images,
        "categories": [{"id": id_, "name": name} for id_, name in zip(categories.ids, categories.names, strict=True)],
        "annotations": annotations,
    }
    write_json(json_path, result)
    return result, problems


def _detected(detector, batch, batch_size, fill, options, problems):
    """The pictures of a batch that the detector can use, and what it finds on them; why not, is put to `problems`."""
    while batch:
        given = [path if getattr(detector, "prefers_files", False) else array for path, array in batch]
        given += given[-1:] * (batch_size - len(given)) if fill else []  # one shape, one graph
        try:
            return batch, detector.detect(given, batch_size=batch_size, **options)
        except RefusedPicturesError as error:  # by an exported model, which may be stricter than we are
            problems += [sentence for place, sentence in error.sentences.items() if place < len(batch)]
            batch = [item for place, item in enumerate(batch) if place not in error.sentences]
    return [], {}


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


def _refuse_to_overwrite(pictures, targets):
    """An annotated picture must never take the place of a picture it was made from."""
    lost = {path.resolve() for path in pictures} & {path.resolve() for path in targets}
    if lost:
        raise InputError(
            f"The annotated pictures would overwrite {len(lost)} of the pictures themselves, such as {min(lost)}: "
            "choose another output folder."
        )
