"""The `"images"` of a COCO file: which of them can be used, and in which frame their boxes are drawn."""

import os
from collections import Counter

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, look_at_all
from pix2seq_keras.data.sources.showing import shown

_FOLDERS_LEFT_OUT = 4  # Objects365 has three: "images/v1/patch8/a.jpg"


def is_record_id(value):
    """Whether a JSON value can be an id: an integer that fits 64 bits (`true` and 3.0 are not)."""
    return type(value) is int and -(2**63) <= value < 2**63


def check_images(records, folder, issues):
    """Checks all image records and the headers of their files.

    Where a file is not where its record says, it is looked for with the leading folders of its name left out one
    after the other: Objects365 names "images/v1/patch8/a.jpg" what most people unpack to `patch8/a.jpg`.

    Args:
        records: `Sequence`, the `"images"` list, of which anything may be wrong.
        folder: `Path`, the resolved folder of the images.
        issues: `Issues`, is told of every record that is left out or in doubt.

    Returns:
        The usable images in the file's order, and the ids of all image records, usable or not.
    """
    named: dict[int, tuple[str, str, dict]] = {}  # id -> (where, file name, record)
    for position, record in enumerate(records):
        where = f"images[{position}]"
        if not isinstance(record, dict):
            issues.add("unusable image record", where, f"{where} is {shown(record)}, not a dictionary.")
            continue
        image_id, file_name = record.get("id"), record.get("file_name")
        where = f"{where} (id {shown(image_id, 40)}, {shown(file_name)})"
        if not is_record_id(image_id):
            issues.add("unusable image record", where, f'{where}: "id" must be an integer of 64 bits.')
        elif image_id in named:
            issues.add("duplicate image id", where, f"{where}: {named[image_id][0]} has this id already; it is kept.")
        else:
            named[image_id] = (where, file_name, record)

    def look(file_name):
        try:
            if not isinstance(file_name, str):
                raise ImageError('"file_name" must be a string.', kind="unusable image record")
            path, shortened = _find(folder, file_name)
            return path, inspect_image(path), shortened
        except ImageError as error:
            return error

    looks = look_at_all(look, [file_name for _, file_name, _ in named.values()])
    users = Counter(seen[0] for seen in looks if not isinstance(seen, ImageError))

    images = []
    for (image_id, (where, file_name, record)), seen in zip(named.items(), looks, strict=True):
        if not isinstance(seen, ImageError) and seen[2] and users[seen[0]] > 1:
            seen = ImageError(  # a/1.jpg and b/1.jpg cannot both be 1.jpg
                f"There is no image {shown(file_name)}; {seen[0].name!r}, the nearest, fits several records.",
                kind="missing image",
            )
        if isinstance(seen, ImageError):
            issues.add(seen.kind, where, f"{where}: {seen} The image is left out.")
            continue
        path, info, _ = seen
        width, height, turn, issue = choose_frame(info, record.get("width"), record.get("height"))
        if issue is not None:
            issues.add(issue[0], where, f"{where}: {issue[1]}")
        images.append(IndexedImage(image_id, file_name, path, info, width, height, turn))
    return images, frozenset(named)


def _find(folder, file_name):
    """Where the file is, and whether leading folders of its name had to be left out."""
    path = file_inside(folder, file_name)
    if os.path.exists(path):  # noqa: PTH110 (says False where Path.exists raises: a name that is too long)
        return path, False
    rest = file_name
    for _ in range(_FOLDERS_LEFT_OUT):
        rest = rest.partition("/")[2].lstrip("/")
        if not rest.strip("./ "):
            break
        shorter = file_inside(folder, rest)
        if os.path.isfile(shorter):  # noqa: PTH113
            return shorter, True
    return path, False
