"""The `"images"` of a COCO file: checks them and decides in which frame their boxes are drawn."""

import os
from collections import Counter

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, map_in_threads
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.subfolders import SubfolderIndex

_MAX_SKIPPED_FOLDERS = 4  # Objects365 needs three: "images/v1/patch8/a.jpg"


def is_record_id(value):
    """Whether a JSON value can be an id: an integer of 64 bits (`true` and 3.0 are none).

    Args:
        value: the JSON value.

    Returns:
        bool.
    """
    return type(value) is int and -(2**63) <= value < 2**63


def check_images(records, folder, issues):
    """Checks all image records and the headers of their files.

    If a file is missing, leading folders of its name are skipped one after the other: Objects365 names
    "images/v1/patch8/a.jpg" what most people unpack to `patch8/a.jpg`.

    Args:
        records: list, the `"images"`, unchecked.
        folder: `Path`, the resolved folder of the images.
        issues: `Issues`; every record that is left out or doubtful is reported.

    Returns:
        `(images, known_ids)`: list of `IndexedImage`, the usable images in the file's order, and a frozenset of the
        ids of all image records, usable or not.
    """
    named = {}  # id -> (where, file name, record)
    for position, record in enumerate(records):
        where = f"images[{position}]"
        if not isinstance(record, dict):
            issues.add("unusable image record", where, f"{where} is {short_repr(record)}, not a dictionary.")
            continue
        image_id, file_name = record.get("id"), record.get("file_name")
        where = f"{where} (id {short_repr(image_id, 40)}, {short_repr(file_name)})"
        if not is_record_id(image_id):
            issues.add("unusable image record", where, f'{where}: "id" must be an integer of 64 bits.')
        elif image_id in named:
            issues.add("duplicate image id", where, f"{where}: {named[image_id][0]} has this id already; it is kept.")
        else:
            named[image_id] = (where, file_name, record)

    def inspect(file_name):
        try:
            if not isinstance(file_name, str):
                raise ImageError('"file_name" must be a string.', kind="unusable image record")
            path, skipped_folders = _find(folder, file_name)
            return path, inspect_image(path), skipped_folders
        except ImageError as error:
            return error

    found = map_in_threads(inspect, [file_name for _, file_name, _ in named.values()])
    found = _look_in_subfolders(folder, named, found, issues)
    users = Counter(entry[0] for entry in found if not isinstance(entry, ImageError))

    images = []
    for (image_id, (where, file_name, record)), entry in zip(named.items(), found, strict=True):
        if not isinstance(entry, ImageError) and entry[2] and users[entry[0]] > 1:
            entry = ImageError(  # a/1.jpg and b/1.jpg cannot both be 1.jpg
                f"There is no image {short_repr(file_name)}; the similar {entry[0].name!r} fits several records.",
                kind="missing image",
            )
        if isinstance(entry, ImageError):
            issues.add(entry.kind, where, f"{where}: {entry} The image is left out.")
            continue
        path, info, _ = entry
        width, height, box_orientation, issue = choose_frame(info, record.get("width"), record.get("height"))
        if issue is not None:
            issues.add(issue[0], where, f"{where}: {issue[1]}")
        images.append(IndexedImage(image_id, file_name, path, info, width, height, box_orientation))
    return images, frozenset(named)


def _look_in_subfolders(folder, named, found, issues):
    """What was found, with images of sub-folders for names that no image has."""
    index, entries = SubfolderIndex(folder), []
    for (where, file_name, _), entry in zip(named.values(), found, strict=True):
        if isinstance(entry, ImageError) and entry.kind == "missing image":
            try:
                path = index.find(file_name)
                if path is not None:
                    entry = path, inspect_image(path), True
                    message = f"{where}: found as {str(path.relative_to(folder))!r:.200}."
                    issues.add("image found in a sub-folder", where, message)
            except ImageError as error:
                entry = error
        entries.append(entry)
    return entries


def _find(folder, file_name):
    """The path of the file, and whether leading folders of its name were skipped."""
    path = file_inside(folder, file_name)
    if os.path.exists(path):  # noqa: PTH110 (False where Path.exists raises: a name that is too long)
        return path, False
    rest = file_name
    for _ in range(_MAX_SKIPPED_FOLDERS):
        rest = rest.partition("/")[2].lstrip("/")
        if not rest.strip("./ "):
            break
        shorter = file_inside(folder, rest)
        if os.path.isfile(shorter):  # noqa: PTH113
            return shorter, True
    return path, False
