"""Images in, annotated images and one JSON out."""

from pathlib import Path

import numpy as np

from pix2seq_keras.atomic_files import require_writable_folder, write_json
from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import MAX_PIXELS, ImageError, read_image
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import coco_results
from pix2seq_keras.inference import RefusedImagesError, options_for_run
from pix2seq_keras.progress import progress_bar
from pix2seq_keras.visualization.drawing import draw_detections
from pix2seq_keras.visualization.gallery import save_image

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


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
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
            if not inside:
                raise InputError(f"The folder {path} holds no image ({', '.join(IMAGE_SUFFIXES)}).")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"There is no image or folder {path}.")
    return found


def predict_images(detector, paths, output, json_path=None, threshold=0.5, batch_size=8, **detect_options):
    """Detects objects in images, draws them, and writes them as COCO JSON.

    An image that cannot be read is left out and reported; the others go on.

    Args:
        detector: anything with `.detect` and `.categories`; where these are `None`, with a `.vocabulary`. One that says
            `.prefers_files` is given paths instead of pixels, and one with `.max_pixels` no larger images.
        paths: list of images and folders.
        output: folder for the annotated PNGs; it is made if need be.
        json_path: path of the JSON; `None` puts `predictions.json` into `output`.
        threshold: float, score from which a box is drawn and written.
        batch_size: int, images at once.
        **detect_options: of `detect`.

    Returns:
        The dictionary that the JSON holds: `"images"` (id, file_name, width, height, annotated), `"categories"`, and
        `"annotations"` (id, image_id, category_id, bbox [x, y, width, height] in pixels, area, score).
        And a list of sentences about images that were left out.

    Raises:
        InputError: if there is nothing to read, or the output cannot be written or would overwrite an image.
    """
    files = find_images(paths)
    output = Path(output)
    json_path = Path(json_path) if json_path else output / "predictions.json"
    for folder in (output, json_path.parent):
        require_writable_folder(folder)
    categories = detector.categories or Categories.from_names(
        f"class {index}" for index in range(detector.vocabulary.num_classes)
    )
    names = _output_names(files)
    _refuse_to_overwrite(files, [output / name for name in names.values()])
    detect_options = options_for_run(detector, len(files), batch_size, detect_options)
    max_pixels = getattr(detector, "max_pixels", MAX_PIXELS)
    images, annotations, problems = [], [], []
    with progress_bar("predicting", len(files)) as advance:
        for start in range(0, len(files), batch_size):
            paths_here = files[start : start + batch_size]
            batch = []
            for path in paths_here:
                try:
                    batch.append((path, read_image(path, max_pixels=max_pixels)))
                except ImageError as error:
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
    """The images of a batch that the detector can use, and what it finds on them; why not, is put to `problems`."""
    while batch:
        given = [path if getattr(detector, "prefers_files", False) else array for path, array in batch]
        given += given[-1:] * (batch_size - len(given)) if fill else []  # one shape, one graph
        try:
            return batch, detector.detect(given, batch_size=batch_size, **options)
        except RefusedImagesError as error:  # by an exported model, which may be stricter than we are
            problems += [sentence for place, sentence in error.sentences.items() if place < len(batch)]
            batch = [item for place, item in enumerate(batch) if place not in error.sentences]
    return [], {}


def _keep(detections, path, array, name, output, categories, threshold, images, annotations):
    """Draws one image's detections and appends its records."""
    good = (detections["classes"] >= 0) & (detections["scores"] >= threshold)
    one = {key: np.asarray(values)[good] for key, values in detections.items()}
    image_id = len(images) + 1
    height, width = array.shape[:2]
    drawn = draw_detections(array, one["boxes"], one["classes"], one["scores"], categories.names)
    save_image(output / name, drawn)
    images.append({"id": image_id, "file_name": str(path), "width": width, "height": height, "annotated": name})
    for record in coco_results(image_id, (height, width), one, categories):
        area = record["bbox"][2] * record["bbox"][3]
        annotations.append({"id": len(annotations) + 1, **record, "area": area, "iscrowd": 0})


def _output_names(images):
    """A file name of its own for every annotated image, also where two folders hold the same name."""
    names, taken = {}, set()
    for path in images:
        stem, number = path.stem, 1
        name = f"{stem}.png"
        while name in taken:
            number += 1
            name = f"{stem}_{number}.png"
        taken.add(name)
        names[path] = name
    return names


def _refuse_to_overwrite(images, targets):
    """An annotated image must never take the place of an image it was made from."""
    lost = {path.resolve() for path in images} & {path.resolve() for path in targets}
    if lost:
        raise InputError(
            f"The annotated images would overwrite {len(lost)} of the images themselves, such as {min(lost)}: "
            "choose another output folder."
        )
