"""YOLO's `data.yaml`: the classes, and the images of each split."""

import os
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.lenient import parse_integer
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.split_choice import require_split
from pix2seq_keras.data.sources.yolo.entries import find_entries, names_of_entry
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE, parse_yaml

MAX_YAML_BYTES = MEGABYTE
_MAX_CLASSES = 100_000
_OTHER_KEYS = ("path", "names", "nc", "download", "kpt_shape", "flip_idx", "roboflow", "channels")


@dataclass(frozen=True)
class YoloConfig:
    """The content of a `data.yaml`.

    Args:
        file: `Path`, the file.
        roots: tuple of `Path`, resolved folders that its entries may be relative to, the most likely one first.
        categories: `Categories`; class `i` of the label files has the id `i`.
        splits: dict of split to a list of folders of images or text files that list images.
        has_keypoints: bool, whether rows have keypoints after the box.
        path: str, its `path` as it is written, which may be that of another machine. Defaults to "".
        folder_given: bool, whether the user named the folder. Defaults to False.
        whole: bool, whether the data set has no splits; its only entry in `splits` is then "all". Defaults to False.
        declared_count: int or None, the number of classes that the file states beside their names. Defaults to None.
    """

    file: Path
    roots: tuple[Path, ...]
    categories: Categories
    splits: dict[str, list[str]]
    has_keypoints: bool
    path: str = ""
    folder_given: bool = False
    whole: bool = False
    declared_count: int | None = None


def read_yolo_config(file, folder=None):
    """Reads a `data.yaml`.

    Args:
        file: `Path`, the file.
        folder: `Path` or None, the folder that its entries are relative to, if the user gave one. Defaults to None:
            its `path` if this is inside the file's own folder, or the file's own folder. A downloaded file must not
            decide which folders are read.

    Returns:
        `YoloConfig`.

    Raises:
        InputError: if it cannot be read, or lacks usable classes or splits.
    """
    if not file.exists():
        raise InputError(
            f"There is no file {str(file)!r}. A yolo source is a data.yaml with train, val and names, or a folder."
        )
    document = parse_yaml(read_text(file, MAX_YAML_BYTES), str(file), strict=False)
    if not isinstance(document, dict):
        raise InputError(f"A YOLO data file must have train, val and names. Received: {short_repr(document)} in {file}")
    splits = {
        key: entries
        for key, value in document.items()
        if isinstance(key, str) and key not in _OTHER_KEYS and (entries := _entries(value)) is not None
    }
    return YoloConfig(
        file=file,
        roots=find_roots(file, document.get("path"), folder),
        categories=read_categories(file, document.get("names"), document.get("nc")),
        splits=splits,
        has_keypoints="kpt_shape" in document,
        path=path if isinstance(path := document.get("path"), str) else "",
        folder_given=folder is not None,
        declared_count=parse_integer(document.get("nc")),
    )


def images_of_split(config, split, reader, issues):
    """Lists the images of a split, each once.

    Args:
        config: `YoloConfig`.
        split: str, a split.
        reader: `LenientReader`; folders and lists that are found by another name are noted.
        issues: `Issues`; files that are not used are noted.

    Returns:
        `(root, names)`: the folder that the names are relative to, and the names with forward slashes, in the order of
        the file; those of a folder are sorted. Names from lists are unchecked.

    Raises:
        InputError: if there is no such split, or its folders and lists do not exist in the data set's folder.
    """
    split = require_split(split, config.splits, config.file)
    found = find_entries(config, split, reader)
    if found is not None:
        root, places = found
        return root, list(dict.fromkeys(name for place in places for name in names_of_entry(root, place.path, issues)))
    wanted = " or ".join(repr(str(root)) for root in config.roots)
    raise InputError(
        f"{config.file} has {split}: {short_repr(config.splits[split], 200)}, which does not exist in {wanted}, nor "
        "does any end of it. "
        + (
            "Add the folder that holds it, or correct the file."
            if config.folder_given
            else f"If the images are in another folder, add it: yolo:{config.file}+FOLDER"
        )
    )


def _entries(value):
    values = value if isinstance(value, list) else [value]
    return values if values and all(isinstance(entry, str) and entry.strip() for entry in values) else None


def find_roots(file, path, folder):
    """The folders that the entries of a description may be relative to.

    Args:
        file: `Path`, the description.
        path: the value of its `path`, unchecked, or None.
        folder: `Path` or None, the folder that the user gave.

    Returns:
        Tuple of `Path`, resolved, the most likely one first.

    Raises:
        InputError: if the user's folder does not exist.
    """
    if folder is not None:
        if not folder.is_dir():
            raise InputError(f"There is no folder {str(folder)!r}.")
        return (folder.resolve(),)
    home = file.resolve().parent
    if not isinstance(path, str) or "\0" in path or len(path) > 4096:
        return (home,)
    try:
        declared = Path(os.path.realpath(home / path))
    except (OSError, ValueError):  # not a valid folder name
        return (home,)
    return (declared, home) if declared != home and declared.is_relative_to(home) else (home,)


def read_categories(file, names, count):
    """Makes the table of classes.

    Args:
        file: `Path`, the description, for messages.
        names: the names, unchecked: a list, or a dict of numbers to names; None for "class 0", "class 1", ….
        count: the number of classes, unchecked, which is used if there are no names.

    Returns:
        `Categories`; class number `i` has the id `i`.

    Raises:
        InputError: if there are no usable names.
    """
    if names is None and type(count) is int and 0 < count <= _MAX_CLASSES:
        names = [f"class {index}" for index in range(count)]
    if isinstance(names, dict):
        pairs = list(names.items())
    elif isinstance(names, list):
        pairs = list(enumerate(names))
    else:
        raise InputError(f'"names" must list the names of the classes. Received: {short_repr(names)} in {file}')
    records = []
    for index, name in pairs:
        if isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 10:
            index = int(index)
        if type(index) is not int or index < 0:
            raise InputError(
                f"A class number must be 0, 1, 2, …. Received: {short_repr(index)}: {short_repr(name)} in {file}"
            )
        if isinstance(name, bool):
            raise InputError(
                f"The name of class {index} must be text. Received: {name} in {file}, as YAML parses yes, no, on and "
                "off. Put such names in quotes."
            )
        # YAML parses digits without quotes as numbers.
        records.append({"id": index, "name": str(name) if type(name) in (int, float) else name})
    try:
        return Categories.from_coco(records)
    except InputError as error:
        raise InputError(f"The names in {file} cannot be used. {error}") from error


def label_name(image):
    """The label file of an image: in `labels/` if the image is in `images/`, otherwise beside it.

    Args:
        image: str, name relative to the root, with forward slashes.

    Returns:
        str, name relative to the root, with forward slashes.

    Example:
        >>> label_name("images/train/a.jpg"), label_name("train/b.jpg")
        ('labels/train/a.txt', 'train/b.txt')
    """
    folders = image.split("/")[:-1]
    stem = os.path.splitext(image.split("/")[-1])[0]  # noqa: PTH122
    if "images" in folders:
        last = len(folders) - 1 - folders[::-1].index("images")
        folders = [*folders[:last], "labels", *folders[last + 1 :]]
    return "/".join([*folders, f"{stem}.txt"])
