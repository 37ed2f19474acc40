"""Images in, annotated images and one JSON file out."""

import itertools
from pathlib import Path

import numpy as np

from pix2seq_keras.atomic_files import require_writable_folder, write_json
from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.read_image import MAX_PIXELS, read_image
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES, is_image_name
from pix2seq_keras.data.sources.unused_files import count_and_names, may_be_missed
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.labels import categories_of
from pix2seq_keras.inference.coco_results import coco_results
from pix2seq_keras.inference.detector import detect_each
from pix2seq_keras.progress import progress_bar
from pix2seq_keras.visualization.drawing import draw_detections
from pix2seq_keras.visualization.gallery import save_image


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
        str, such as "2 files, such as 'photos/a.heic', 'photos/b.psd'", or "" if there are none.
    """
    folders = [path for path in map(Path, paths) if path.is_dir()]
    names = [str(p) for path in folders for p in sorted(path.rglob("*")) if may_be_missed(p.name) and p.is_file()]
    return count_and_names(names) if names else ""


def predict_images(detector, paths, output, json_path=None, threshold=0.5, batch_size=8, **overrides):
    """Detects objects in images, draws them, and writes them as COCO JSON.

    An image that cannot be read is left out and reported; the others go on.

    Args:
        detector: object with `detect` and `categories`; if these are None, with a `vocabulary`. A detector with a true
            `prefers_files` is given paths instead of pixels, and one with `max_pixels` no larger images.
        paths: list of images and folders.
        output: path of the folder for the annotated PNGs; it is made if need be.
        json_path: path of the JSON; None puts `predictions.json` into `output`.
        threshold: float, score from which a box is drawn and written.
        batch_size: int, images in each call of the detector.
        **overrides: fields of `DecodingOptions`.

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
    categories = categories_of(detector)
    names = _output_names(files)
    _refuse_to_overwrite(files, [output / name for name in names.values()])
    images, annotations, problems = [], [], []
    with progress_bar("predicting", len(files)) as advance:
        read, feed = itertools.tee(_readable(files, getattr(detector, "max_pixels", MAX_PIXELS), problems, advance))
        inputs = (path if getattr(detector, "prefers_files", False) else pixels for path, pixels in feed)
        found = detect_each(detector, inputs, batch_size=batch_size, num_images=len(files), **overrides)
        for (path, pixels), objects in zip(read, found, strict=True):
            if isinstance(objects, ImageError):  # an exported model may be stricter than `read_image`
                problems.append(str(objects))
            else:
                _keep(objects, path, pixels, names[path], output, categories, threshold, images, annotations)
    result = {
        "images": images,
        "categories": [{"id": id_, "name": name} for id_, name in zip(categories.ids, categories.names, strict=True)],
        "annotations": annotations,
    }
    write_json(json_path, result)
    return result, problems


def _readable(files, max_pixels, problems, advance):
    """Yields (path, pixels) of every image that can be read; the reasons for the others go to `problems`."""
    for path in files:
        try:
            yield path, read_image(path, max_pixels=max_pixels)
        except ImageError as error:
            problems.append(str(error))
        advance()


def _keep(detections, path, array, name, output, categories, threshold, images, annotations):
    """Draws one image's detections and appends its records."""
    good = (detections["classes"] >= 0) & (detections["scores"] >= threshold)
    one = {key: np.asarray(detections[key])[good] for key in ("boxes", "classes", "scores")}
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
