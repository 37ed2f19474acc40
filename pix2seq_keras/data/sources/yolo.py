"""YOLO's way (Ultralytics, Darknet): a `data.yaml`, pictures in `images/`, a text file for each in `labels/`."""

import math
import os
from pathlib import Path

from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import PictureError, PictureInfo, inspect_picture
from pix2seq_keras.data.sources.annotation_files import MEGABYTE, read_text
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.picture_index import IndexedPicture, choose_frame, look_at_all
from pix2seq_keras.data.sources.showing import shown
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.data.sources.yolo_config import label_name, pictures_of_split, read_yolo_config
from pix2seq_keras.data.sources.yolo_labels import YoloFault, YoloRow, parse_labels
from pix2seq_keras.errors import InputError

_MAX_LABEL_BYTES = 16 * MEGABYTE


def open_yolo(file: str | os.PathLike, split: str, folder: str | os.PathLike | None = None) -> Source:
    """Opens one split of a YOLO data set.

    The file's `train`, `val`, `test` (or any other key) is a folder of pictures, a text file that lists pictures, or a
    list of these. The labels of `images/a.jpg` are in `labels/a.txt`, those of a picture in no `images/` beside it; an
    empty or missing label file is a picture without objects. Boxes belong to the upright picture. Rows with a polygon
    count as the box around it.

    Args:
        file: the `data.yaml`, or the folder that holds it.
        split: a key of the file.
        folder: the folder that the file's entries are relative to. Defaults to its `path` within the file's own folder,
            or to this folder itself. Nothing outside it is read.

    Returns:
        A `Source`. Dataset ids are YOLO's own class numbers; image ids are places in the split, counted from 1.

    Raises:
        InputError: if the file cannot be used, the split does not exist, or not one picture can be used.

    Example:
        >>> source = open_yolo("coco8/data.yaml", "train")
    """
    name = f"yolo:{os.fspath(file)}" + (f"+{os.fspath(folder)}" if folder is not None else "")
    config = read_yolo_config(Path(file).expanduser(), None if folder is None else Path(folder).expanduser())
    root, names = pictures_of_split(config, split)
    if not names:
        raise InputError(f"The split {split!r} of {name} has no pictures.")

    findings = Findings()
    looks = look_at_all(lambda picture: _look(root, picture, config.has_keypoints, findings), names)
    pictures, rows, boxes = [], [], []
    for position, (file_name, seen) in enumerate(zip(names, looks, strict=True)):
        if seen is None:
            continue
        path, info, labels = seen
        width, height, turn, finding = choose_frame(info, None, None)
        if finding is not None:
            findings.add(finding[0], file_name, f"{file_name!r:.80}: {finding[1]}")
        pictures.append(IndexedPicture(position + 1, file_name, path, info, width, height, turn))
        for row in _usable(labels, label_name(file_name), config.categories, findings):
            left, top, right, bottom = row.edges
            object_class = config.categories.class_of(row.class_id)
            edges = (left * width, top * height, right * width, bottom * height)
            rows.append((len(pictures) - 1, object_class, 0, math.nan, *edges))
            boxes.append((f"{label_name(file_name)} line {row.line}", f"({', '.join(f'{e:g}' for e in row.edges)})"))
    if not pictures:
        raise InputError(f"None of the {len(names)} pictures of {name} ({split}) can be used:\n{findings.summary()}")
    objects = place_objects(rows, boxes.__getitem__, pictures, findings)
    return indexed_source(name, split, config.categories, pictures, objects, findings, f"{name} ({split})")


def _look(root: Path, picture: str, has_keypoints: bool, findings: Findings):
    """The path, header and rows of one picture; None, and a finding, where it cannot be used."""
    try:
        path = file_inside(root, picture)
        info: PictureInfo = inspect_picture(path)
        label_file = file_inside(root, label_name(picture), "annotation file")
        if not os.path.lexists(label_file):
            return path, info, []
        return path, info, parse_labels(read_text(label_file, _MAX_LABEL_BYTES), has_keypoints)
    except PictureError as error:
        findings.add(error.kind, f"{shown(picture)}", f"{error} The picture is left out.")
    except InputError as error:
        findings.add("unusable annotation file", f"{shown(picture)}", f"{error} The picture is left out.")
    return None


def _usable(labels, file_name: str, categories, findings: Findings) -> list[YoloRow]:
    """The rows that can be used; the others are told."""
    usable = []
    for row in labels:
        where = f"{file_name} line {row.line}"
        if isinstance(row, YoloFault):
            findings.add(row.kind, where, f"{where}: {row.reason}; dropped.")
        elif categories.class_of(row.class_id) is None:
            findings.add("unknown category", where, f"{where}: no class has the number {row.class_id}; dropped.")
        else:
            usable.append(row)
    polygons = sum(row.is_polygon for row in usable)
    if polygons:
        message = f"{file_name}: {polygons} polygons are taken as the boxes around them."
        findings.add("polygon taken as its box", file_name, message)
    return usable
