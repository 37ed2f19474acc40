"""Reads YOLO (Ultralytics, Darknet): a `data.yaml`, images in `images/`, a text file for each in `labels/`."""

import math
import os
from pathlib import Path

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.annotation_files import MEGABYTE, read_text
from pix2seq_keras.data.sources.file_finder import FileFinder, files_of_several_names, note_difference
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, map_in_threads
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.lenient import LenientReader
from pix2seq_keras.data.sources.location import file_and_folder
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.yolo.config import images_of_split, label_name, read_yolo_config
from pix2seq_keras.data.sources.yolo.labels import YoloFault, parse_labels
from pix2seq_keras.errors import InputError

_MAX_LABEL_BYTES = 16 * MEGABYTE


def config_paths(location):
    """Splits a location such as "data.yaml+photos" into paths.

    Args:
        location: str, "data.yaml" or "data.yaml+DIR".

    Returns:
        `(file, folder)`: `Path`, and `Path` or None.
    """
    file, folder = file_and_folder(location, "[.]ya?ml")
    return Path(file).expanduser(), None if folder is None else Path(folder).expanduser()


def open_location(location, split):
    """Opens one split of a source.

    Args:
        location: str, "data.yaml" or "data.yaml+DIR", see `open_yolo`.
        split: str, a split's name.

    Returns:
        `Source`.

    Raises:
        InputError: if it cannot be opened.
    """
    file, folder = file_and_folder(location, "[.]ya?ml")
    return open_yolo(file, split, folder)


def open_yolo(file, split, folder=None):
    """Opens one split of a YOLO data set.

    The file's `train`, `val`, `test` (or any other key) is a folder of images, a text file that lists images, or a
    list of these. The labels of `images/a.jpg` are in `labels/a.txt`; those of an image outside `images/` are beside
    it. An image with an empty or missing label file has no objects. Boxes belong to the upright image. A row with a
    polygon gives the box around it.

    Args:
        file: path, the `data.yaml`, or its folder.
        split: str, a key of the file.
        folder: path or None, the folder that the file's entries are relative to; nothing outside is read. Defaults to
            None: the file's `path` if this is inside the file's own folder, or this folder itself.

    Returns:
        `Source`. Data set ids are YOLO's class numbers; image ids are places in the split, counted from 1.

    Raises:
        InputError: if the file cannot be used, the split does not exist, or no image can be used.

    Example:
        >>> source = open_yolo("coco8/data.yaml", "train")
    """
    name = f"yolo:{os.fspath(file)}" + (f"+{os.fspath(folder)}" if folder is not None else "")
    config = read_yolo_config(Path(file).expanduser(), None if folder is None else Path(folder).expanduser())
    issues, reader = Issues(), LenientReader()
    root, names = images_of_split(config, split, reader)
    if not names:
        raise InputError(f"The split {split!r} of {name} has no images.")

    finder = FileFinder(root)
    entries = map_in_threads(lambda image: _read_entry(finder, image, config.has_keypoints, issues), names)
    shared = files_of_several_names(entry[0] for entry in entries if entry is not None)
    images, rows, boxes = [], [], []
    for position, (file_name, entry) in enumerate(zip(names, entries, strict=True)):
        if entry is None:
            continue
        file, info, label_file, labels = entry
        if file.difference and file.path in shared:
            message = f"{file_name!r:.80} is the file {file.name!r:.80}, which is listed too; it is kept once."
            issues.add("duplicate image id", f"{file_name!r:.80}", message)
            continue
        note_difference(file, reader)
        note_difference(label_file, reader)
        width, height, box_orientation, issue = choose_frame(info, None, None)
        if issue is not None:
            issues.add(issue[0], file_name, f"{file_name!r:.80}: {issue[1]}")
        images.append(IndexedImage(position + 1, file_name, file.path, info, width, height, box_orientation))
        for row in _usable(labels, label_file.name, config.categories, issues, reader):
            left, top, right, bottom = row.edges
            object_class = config.categories.class_of(row.class_id)
            edges = (left * width, top * height, right * width, bottom * height)
            rows.append((len(images) - 1, object_class, 0, math.nan, *edges))
            boxes.append((f"{label_file.name} line {row.line}", f"({', '.join(f'{e:g}' for e in row.edges)})"))
    if not images:
        raise InputError(f"None of the {len(names)} images of {name} ({split}) can be used:\n{issues.summary()}")
    objects = place_objects(rows, boxes.__getitem__, images, issues)
    reader.report(issues)
    return indexed_source(name, split, config.categories, images, objects, issues, f"{name} ({split})")


def _read_entry(finder, image, has_keypoints, issues):
    """The file, header, label file and rows of one image; None, and an issue, if it cannot be used."""
    try:
        file = finder.find(image)
        info = inspect_image(file.path)
        label_file = finder.find(label_name(file.name), "annotation file", tails=False)
        if not os.path.lexists(label_file.path):
            return file, info, label_file, []
        return file, info, label_file, parse_labels(read_text(label_file.path, _MAX_LABEL_BYTES), has_keypoints)
    except ImageError as error:
        issues.add(error.kind, f"{short_repr(image)}", f"{error} The image is left out.")
    except InputError as error:
        issues.add("unusable annotation file", f"{short_repr(image)}", f"{error} The image is left out.")
    return None


def _usable(labels, file_name, categories, issues, reader):
    """The rows that can be used; an issue reports each of the others."""
    usable = []
    for row in labels:
        where = f"{file_name} line {row.line}"
        if isinstance(row, YoloFault):
            issues.add(row.kind, where, f"{where}: {row.reason}; dropped.")
        elif categories.class_of(row.class_id) is None:
            issues.add("unknown category", where, f"{where}: no class has the number {row.class_id}; dropped.")
        else:
            if not row.class_text.isdecimal():
                reader.integer(row.class_text, "classes of label files", lambda where=where: where)
            usable.append(row)
    polygons = sum(row.is_polygon for row in usable)
    if polygons:
        message = f"{file_name}: {polygons} polygons were converted to the boxes around them."
        issues.add("polygon converted to box", file_name, message)
    return usable
