"""Reads YOLO (Ultralytics, darknet): images in `images/`, a text file for each in `labels/`, mostly a `data.yaml`."""

import math
import os
from pathlib import Path, PurePosixPath

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.file_finder import FileFinder, files_of_several_names, note_difference
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, map_in_threads
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.lenient import LenientReader
from pix2seq_keras.data.sources.location import file_and_folder
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.split_by_hash import WHOLE, split_by_hash
from pix2seq_keras.data.sources.yolo.config import images_of_split, label_name
from pix2seq_keras.data.sources.yolo.labels import YoloFault, parse_labels
from pix2seq_keras.data.sources.yolo.open_config import open_config
from pix2seq_keras.data.sources.yolo.unused_labels import report_unused_labels
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE

_DESCRIPTION = "[.](?:ya?ml|data)"  # how the names of descriptions end
_MAX_LABEL_BYTES = 16 * MEGABYTE


def config_paths(location):
    """Splits a location such as "data.yaml+photos" into paths.

    Args:
        location: str, "data.yaml", "data.yaml+DIR" or "DIR".

    Returns:
        `(file, folder)`: `Path`, and `Path` or None.
    """
    file, folder = file_and_folder(location, _DESCRIPTION)
    return Path(file).expanduser(), None if folder is None else Path(folder).expanduser()


def open_location(location, split):
    """Opens one split of a source.

    Args:
        location: str, "data.yaml", "data.yaml+DIR" or "DIR", see `open_yolo`.
        split: str, a split's name.

    Returns:
        `Source`.

    Raises:
        InputError: if it cannot be opened.
    """
    file, folder = file_and_folder(location, _DESCRIPTION)
    return open_yolo(file, split, folder)


def open_yolo(file, split, folder=None):
    """Opens one split of a YOLO data set.

    The file's `train`, `val`, `test` (or any other key) is a folder of images, a text file that lists images, or a
    list of these. The labels of `images/a.jpg` are in `labels/a.txt`; those of an image outside `images/` are beside
    it. An image with an empty or missing label file has no objects. Boxes belong to the upright image. A row with a
    polygon gives the box around it. A folder without a `data.yaml` may have another YAML file, darknet's `obj.data`, or
    only a list of classes such as `classes.txt`; its splits are then its lists or folders of the names train, val and
    test or, without these, those of `split_by_hash`.

    Args:
        file: path, the `data.yaml` or `obj.data`, or a folder.
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
    config = open_config(Path(file).expanduser(), None if folder is None else Path(folder).expanduser())
    issues, reader = Issues(), LenientReader()
    if config.declared_count not in (None, len(config.categories)):
        message = f"it states {config.declared_count} classes and names {len(config.categories)}; the names are used."
        issues.add("wrong number of classes", str(config.file), f"{config.file}: {message}")
    root, names = images_of_split(config, WHOLE if config.whole else split, reader, issues)
    if not names:
        raise InputError(f"The split {split!r} of {name} has no images.")

    finder = FileFinder(root)
    entries = map_in_threads(lambda image: _read_entry(finder, image, config.has_keypoints, issues), names)
    shared = files_of_several_names(entry[0] for entry in entries if entry is not None)
    images, rows, boxes, label_files, unlabelled = [], [], [], {}, set()
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
        label_files[file.name] = label_file.name
        if not labels:
            _report_no_labels(file.name, label_file.name, labels, issues)
        if labels is None:
            unlabelled.add(file.name)
        width, height, box_orientation, issue = choose_frame(info, None, None)
        issue = None if issue is None else (issue[0], file_name, f"{file_name!r:.80}: {issue[1]}")
        images.append(IndexedImage(position + 1, file_name, file.path, info, width, height, box_orientation, issue))
        for row in _usable(labels or (), label_file.name, config.categories, issues, reader):
            left, top, right, bottom = row.edges
            object_class = config.categories.class_of(row.class_id)
            edges = (left * width, top * height, right * width, bottom * height)
            rows.append((len(images) - 1, object_class, 0, math.nan, *edges))
            boxes.append((f"{label_file.name} line {row.line}", f"({', '.join(f'{e:g}' for e in row.edges)})"))
    if not images:
        raise InputError(f"None of the {len(names)} images of {name} ({split}) can be used:\n{issues.summary()}")
    report_unused_labels(root, label_files, unlabelled, issues)
    objects = place_objects(rows, boxes.__getitem__, images, issues, relative=True)
    reader.report(issues)
    own_split = WHOLE if config.whole else split
    source = indexed_source(name, own_split, config.categories, images, objects, issues, f"{name} ({split})")
    return split_by_hash(source, split, [image.file_name for image in images]) if config.whole else source


def _read_entry(finder, image, has_keypoints, issues):
    """The file, header, label file and rows of one image; None, and an issue, if it cannot be used.

    The rows are None if there is no label file.
    """
    try:
        file = finder.find(image)
        info = inspect_image(file.path)
        label_file = finder.find(label_name(file.name), "annotation file", tails=False)
        if not os.path.lexists(label_file.path):  # LabelImg writes the files beside the images, whatever their folder
            beside = finder.find(str(PurePosixPath(file.name).with_suffix(".txt")), "annotation file", tails=False)
            if not os.path.lexists(beside.path):
                return file, info, label_file, None
            label_file = beside
        return file, info, label_file, parse_labels(read_text(label_file.path, _MAX_LABEL_BYTES), has_keypoints)
    except ImageError as error:
        issues.add(error.kind, f"{short_repr(image)}", f"{error} The image is left out.")
    except InputError as error:
        issues.add("unusable annotation file", f"{short_repr(image)}", f"{error} The image is left out.")
    return None


def _report_no_labels(image, label_file, labels, issues):
    if labels is None:
        issues.add("missing label file", label_file, f"There is no {label_file!r:.200} for the image {image!r:.200}.")
    else:
        issues.add("empty label file", label_file, f"{label_file!r:.200} is empty: {image!r:.200} has no objects.")


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
            if row.has_confidence:
                text = f"{where}: its sixth number is taken as a detector's confidence."
                reader.note("confidence ignored", "rows of label files", lambda text=text: text)
            usable.append(row)
    polygons = sum(row.is_polygon for row in usable)
    if polygons:
        message = f"{file_name}: {polygons} polygons were converted to the boxes around them."
        issues.add("polygon converted to box", file_name, message)
    return usable
