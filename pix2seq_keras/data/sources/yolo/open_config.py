"""The description of a YOLO data set: a `data.yaml` of any name, darknet's `obj.data`, or just the folders."""

import re

from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES
from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.data.sources.split_by_hash import WHOLE
from pix2seq_keras.data.sources.yolo.class_names import find_class_names
from pix2seq_keras.data.sources.yolo.config import MAX_YAML_BYTES, YoloConfig, read_categories, read_yolo_config
from pix2seq_keras.data.sources.yolo.darknet import read_darknet
from pix2seq_keras.errors import InputError

_NAMES_KEY = re.compile(r"^\s*['\"]?(names|nc)['\"]?\s*:", re.MULTILINE)
_SPLIT = re.compile(r"(train|val|test)\w*", re.ASCII)
_LISTS = ("train", "val", "valid", "validation", "test")


def open_config(file, folder=None):
    """Reads the description of a data set.

    Args:
        file: `Path`, a `data.yaml`, darknet's `obj.data`, or a folder. In a folder these are looked for; without them,
            it must have a list of classes, such as `classes.txt`.
        folder: `Path` or None, the folder that the file's entries are relative to, see `read_yolo_config`.

    Returns:
        `YoloConfig`.

    Raises:
        InputError: if it cannot be read, or lacks usable classes or splits.
    """
    if file.is_dir():
        directory, file = file, _find_file(file)
        if file is None:
            return _config_of_folder(directory)
    return read_darknet(file, folder) if file.suffix.lower() == ".data" else read_yolo_config(file, folder)


def _find_file(directory):
    """The `data.yaml` or `obj.data` of a folder, or None."""
    usual = directory / "data.yaml"
    if usual.is_file():
        return usual
    files = sorted(file for file in directory.iterdir() if file.is_file() and not file.name.startswith("."))
    described = [file for file in files if file.suffix.lower() in (".yaml", ".yml") and _has_names(file)]
    described = described or [file for file in files if file.suffix.lower() == ".data"]
    if len(described) > 1:
        raise InputError(
            f"{str(directory)!r} has several descriptions of a YOLO data set. Use one of "
            f"{quote_all(f'yolo:{file}' for file in described)}."
        )
    return described[0] if described else None


def _has_names(file):
    """Whether a YAML file describes a data set; others have settings of a training."""
    try:
        return _NAMES_KEY.search(read_text(file, MAX_YAML_BYTES)) is not None
    except InputError:
        return False


def _config_of_folder(directory):
    root = directory.resolve()
    found = find_class_names(root)
    if found is None:
        raise InputError(
            f"A yolo source must be a data.yaml, or a folder with a data.yaml, with darknet's obj.data, or with "
            f"classes.txt. Received: {str(directory)!r}, which has none of them. List the names of the classes in "
            "classes.txt, one a line, in the order of their numbers."
        )
    file, names = found
    splits = _splits(root)
    whole = {WHOLE: ["images" if (root / "images").is_dir() else "."]}
    return YoloConfig(
        file=file,
        roots=(root,),
        categories=read_categories(file, names, None),
        splits=splits or whole,
        has_keypoints=False,
        whole=not splits,
    )


def _splits(root):
    """Lists of images such as train.txt; folders images/train, train/images or train. Empty if there are none."""
    lists = {name: [f"{name}.txt"] for name in _LISTS if (root / f"{name}.txt").is_file()}
    stems = {entry.stem for entry in root.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES}
    if lists and not stems & lists.keys():  # train.txt could be the labels of train.jpg
        return lists
    inside = {folder.name: [f"images/{folder.name}"] for folder in _split_folders(root / "images")}
    return inside or {
        folder.name: [f"{folder.name}/images" if (folder / "images").is_dir() else folder.name]
        for folder in _split_folders(root)
    }


def _split_folders(folder):
    if not folder.is_dir():
        return []
    return sorted(child for child in folder.iterdir() if child.is_dir() and _SPLIT.fullmatch(child.name))
