"""Label files that no image uses: mostly a sign of a wrong name of a folder, by which objects are lost."""

import os

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES, files_below, names_below
from pix2seq_keras.data.sources.yolo.class_names import CLASS_LISTS
from pix2seq_keras.data.sources.yolo.labels import YoloRow, parse_labels

_SUFFIX = ".txt"
_MAX_PROBED_BYTES = 1 << 16


def report_unused_labels(root, label_files, unlabelled, issues):
    """Reports the label files of the folders of a split that belong to no image.

    Those of another split are left to it: files whose image is there, or whose folder of images is not the split's.

    Args:
        root: `Path`, the resolved folder of the data set.
        label_files: dict of str to str, the images of the split and their label files, which need not exist, relative
            to the root.
        unlabelled: set of str, the images whose label file does not exist.
        issues: `Issues`.
    """
    used = set(label_files.values())
    without_labels = {_stem(image): image for image in sorted(unlabelled)}
    folders = {name.rpartition("/")[0] for name in label_files}
    trees = {tree for folder in folders if (tree := _trees(folder)) is not None}
    for image_tree, label_tree in sorted(trees):
        unused = _unused_in_tree(root, image_tree, label_tree, folders, used)
        _report(unused, without_labels, issues)
    for folder in sorted(folder for folder in folders if _trees(folder) is None):
        _report(_unused_beside(root, folder, used), without_labels, issues)


def _report(names, without_labels, issues):
    for name in names:
        message = f"{name!r:.200}: no image uses this label file, so its objects are lost."
        image = without_labels.get(_stem(name))
        if image is not None:
            message += f" The labels of {image!r:.200} are missing: does it belong to this image?"
        issues.add("annotation file without an image", f"{name!r:.200}", message)


def _unused_in_tree(root, image_tree, label_tree, folders, used):
    stems = {stem for stem, _ in names_below(root / image_tree, IMAGE_SUFFIXES)}
    image_folders = {stem.rpartition("/")[0] for stem in stems}
    for stem, file_name in names_below(_inside(root, label_tree), (_SUFFIX,)):
        name = _join(label_tree, file_name)
        inside = stem.rpartition("/")[0]
        of_other_split = inside in image_folders and _join(image_tree, inside) not in folders
        if name in used or stem in stems or of_other_split or file_name.rpartition("/")[2] in CLASS_LISTS:
            continue
        yield name


def _unused_beside(root, folder, used):
    """Beside the images there may be other text files, so only those with a row of a box or polygon count."""
    place = _inside(root, folder)
    names = [name for name in files_below(place) if "/" not in name] if place.is_dir() else []
    stems = {_stem(name) for name in names if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES}  # noqa: PTH122
    for file_name in names:
        name = _join(folder, file_name)
        is_label = file_name.lower().endswith(_SUFFIX) and file_name not in CLASS_LISTS
        if is_label and name not in used and _stem(file_name) not in stems and _has_row(root, name):
            yield name


def _has_row(root, name):
    try:
        with file_inside(root, name, "annotation file").open("rb") as file:
            rows = parse_labels(file.read(_MAX_PROBED_BYTES).decode("utf-8-sig", "replace"))
    except (ImageError, OSError):
        return False
    return bool(rows) and isinstance(rows[0], YoloRow)


def _trees(folder):
    """The outermost folders that `label_name` exchanges: "a/images/b" has ("a/images", "a/labels")."""
    parts = folder.split("/")
    if "images" not in parts:
        return None
    last = len(parts) - 1 - parts[::-1].index("images")
    return "/".join(parts[: last + 1]), "/".join([*parts[:last], "labels"])


def _inside(root, name):
    try:
        return file_inside(root, name or ".")
    except ImageError:  # a link to another folder
        return root / "\0"


def _join(folder, name):
    return f"{folder}/{name}" if folder and name else folder or name


def _stem(name):
    return os.path.splitext(name.rpartition("/")[2])[0]  # noqa: PTH122
