"""Reads COCO's JSON files, in the folder layouts of COCO, Objects365 and Roboflow, or one by one.

Real data sets have defects. A defect of the whole (no folder, no JSON, no categories) is an error; because of a defect
in a record only that record is left out, and an issue is added to `Source.issues`.
"""

import os
from pathlib import Path

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.annotation_files import read_annotation_file
from pix2seq_keras.data.sources.coco.annotations import gather_objects
from pix2seq_keras.data.sources.coco.images import check_images
from pix2seq_keras.data.sources.coco.layout import choose_folder, find_coco_layout
from pix2seq_keras.data.sources.coco.segmentation import without_segmentation
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.lenient import LenientReader
from pix2seq_keras.data.sources.location import file_and_folder, require_value, split_option
from pix2seq_keras.data.sources.split_by_hash import WHOLE, split_by_hash
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE, parse_json

CROWDS = ("iscrowd", ("ignore", "keep"))
FILE_SUFFIX = "[.]json"
_KEYS = ("images", "annotations", "categories")
_MAX_BYTES = 16 * 1024 * MEGABYTE  # Objects365's file has 3 GB


def open_location(location, split):
    """Opens one split of a source.

    Args:
        location: str, "DIR", see `open_coco`, or "FILE.json+DIR", see `open_coco_file`; either may end in
            "?iscrowd=keep".
        split: str, a split's name.

    Returns:
        `Source`.

    Raises:
        InputError: if it cannot be opened.
    """
    location, crowds = split_option(location, *CROWDS)
    file, folder = file_and_folder(location, FILE_SUFFIX)
    if folder is None:
        return open_coco(location, split, crowds)
    return open_coco_file(file, folder, split, crowds)


def open_coco(directory, split, crowds="ignore"):
    """Opens one split of a folder in COCO's layout.

    The headers of all images are read now, to get their sizes and orientations; pixels are read later.

    The annotation file is `annotations/instances_SPLIT.json`, or Objects365's `annotations/zhiyuan_objv2_SPLIT.json`,
    or `annotations/SPLIT.json`, or Roboflow's `SPLIT/_annotations.coco.json`; the images are in `SPLIT/`,
    `images/SPLIT/` or `images/`. A single file for all images, such as Label Studio's `result.json` beside `images/`
    or CVAT's `annotations/instances_default.json`, has the splits of `split_by_hash`.

    Args:
        directory: path, the folder that holds `annotations/` and the folders of images.
        split: str, "train", "val", "train2017", …
        crowds: str, "ignore" makes no targets of objects with `"iscrowd": 1`, and evaluation ignores them, as COCO
            means it; "keep" treats them as any other object. Defaults to "ignore".

    Returns:
        `Source` in the order of the file's `"images"`, without those that cannot be used.

    Raises:
        InputError: if the folder, the annotation file or the image folder is missing, the file is not COCO JSON, its
            categories cannot be used, or no image can be used.

    Example:
        >>> source = open_coco("data/bccd", "train")
        >>> len(source), source.categories.names
        (205, ('RBC', 'WBC', 'Platelets'))
    """
    name = f"coco:{os.fspath(directory)}"
    layout = find_coco_layout(Path(directory).expanduser(), split)
    own_split = WHOLE if layout.whole else layout.split
    source = _index(layout.annotation_file, layout.folders, name, own_split, crowds, layout.is_own)
    return _split_by_hash(source, layout.split, layout.folders) if layout.whole else source


def open_coco_file(annotation_file, folder, split=WHOLE, crowds="ignore"):
    """Opens a COCO JSON file whose images are in any folder.

    Args:
        annotation_file: path, the JSON file.
        folder: path, the folder that its file names are relative to.
        split: str, "all", or "train" or "val", see `split_by_hash`. Defaults to "all".
        crowds: str, as for `open_coco`. Defaults to "ignore".

    Returns:
        `Source`, see `open_coco`.

    Raises:
        InputError: as `open_coco`.

    Example:
        >>> source = open_coco_file("labels.json", "photos", "train")
    """
    name = f"coco:{os.fspath(annotation_file)}+{os.fspath(folder)}"
    annotation_file, folder = Path(annotation_file).expanduser(), Path(folder).expanduser()
    if not annotation_file.is_file():
        raise InputError(f"There is no annotation file {str(annotation_file)!r}.")
    if not folder.is_dir():
        raise InputError(f"There is no folder of images {str(folder)!r}.")
    source = _index(annotation_file, (folder.resolve(),), name, WHOLE, crowds)
    return _split_by_hash(source, split, (folder.resolve(),))


def _split_by_hash(source, split, folders):
    inside = lambda path: next(folder for folder in folders if path.is_relative_to(folder))
    names = [path.relative_to(inside(path)).as_posix() for path in map(Path, source.labels)]
    return split_by_hash(source, split, names)


def _index(annotation_file, folders, name, split, crowds, is_own=True):
    require_value(CROWDS[0], crowds, CROWDS[1])
    document = _parse(annotation_file)
    issues, reader = Issues(), LenientReader()
    try:
        categories = Categories.from_coco(_with_integer_ids(document["categories"], reader))
    except InputError as error:
        raise InputError(f"The categories of {annotation_file} cannot be used. {error}") from error
    if not document["images"]:
        raise InputError(f'{annotation_file} lists no images: its "images" is empty.')
    if document.get("annotations") is None:
        document["annotations"] = []
        message = f'{annotation_file} has no "annotations": none of its images has objects.'
        issues.add("no annotations", str(annotation_file), message)
    folder = choose_folder(folders, document["images"])
    images, known_ids = check_images(document["images"], folder, issues, reader, is_own)
    if not images:
        raise InputError(
            f"None of the {len(document['images'])} images of {annotation_file} can be used:\n{issues.summary()}"
        )
    objects = gather_objects(document["annotations"], images, known_ids, categories, issues, reader, crowds)
    reader.report(issues)
    keep = f"{name}?iscrowd=keep"
    return indexed_source(
        keep if crowds == "keep" else name,
        split,
        categories,
        images,
        objects,
        issues,
        str(annotation_file),
        ('"iscrowd": 1', keep),
    )


def _parse(file):
    data = read_annotation_file(file, _MAX_BYTES)
    # Segmentations are four fifths of COCO's file; dropped record by record, they do not fill the memory.
    document = parse_json(data, str(file), strict=False, object_hook=without_segmentation)
    if not isinstance(document, dict):
        raise InputError(
            f"A COCO annotation file must be a dictionary with {', '.join(_KEYS)}. "
            f"Received: a {type(document).__name__} in {file}"
        )
    for key in _KEYS:
        if key == "annotations" and document.get(key) is None:
            continue  # images to predict on, such as COCO's test images
        if not isinstance(document.get(key), list):
            received = f"a {type(document[key]).__name__}" if key in document else "nothing"
            raise InputError(f'"{key}" of a COCO annotation file must be a list. Received: {received} in {file}')
    return document


def _with_integer_ids(records, reader):
    """The category records with the ids that are written in another way as integers; others are unchanged."""
    converted = []
    for position, record in enumerate(records):
        if isinstance(record, dict):
            where = f"categories[{position}]"
            identifier = reader.integer(record.get("id"), '"id" of categories', lambda where=where: where)
            record = record if identifier is None else record | {"id": identifier}
        converted.append(record)
    return converted
