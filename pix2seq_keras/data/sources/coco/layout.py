"""The layout of a COCO folder: which annotation file and which folder of images belong to a split."""

import os
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.listing import inside_children
from pix2seq_keras.data.sources.split_by_hash import HASHED_SPLITS, WHOLE
from pix2seq_keras.data.sources.split_choice import require_split
from pix2seq_keras.errors import InputError

# Of file names in annotations/: COCO's, Objects365's, those of COCO's test images without annotations, none.
_PREFIXES = ("instances_", "zhiyuan_objv2_", "image_info_", "")
_ROBOFLOW = "_annotations.coco.json"
_LABEL_STUDIO = "result.json"
_CVAT = "default"  # the name that CVAT gives to images without a split
_SPLITS = ("train", "val", "test")  # how a split's name begins
_PROBED_NAMES = 100


@dataclass(frozen=True)
class CocoLayout:
    """The files of a split.

    Args:
        annotation_file: `Path`, the JSON file.
        folders: tuple of `Path`, resolved; the images are in one of them, see `choose_folder`.
        split: str, the data set's own name of the split, or that of `split_by_hash`.
        is_own: bool, whether no images of other splits are there. Defaults to True.
        whole: bool, whether the file has all images of the data set, which then has the splits of `split_by_hash`.
    """

    annotation_file: Path
    folders: tuple[Path, ...]
    split: str
    is_own: bool = True
    whole: bool = False


def find_coco_layout(directory, split):
    """Finds the files of a split.

    Args:
        directory: `Path`, the folder that the user named.
        split: str, the split that the user named.

    Returns:
        `CocoLayout`.

    Raises:
        InputError: if a folder or the annotation file is missing, or there is no such split.
    """
    if not directory.is_dir():
        raise InputError(
            f"There is no folder {str(directory)!r}. A coco source is a folder with annotations/ and folders of "
            "images; write a single annotation file as coco:FILE.json+FOLDER."
        )
    files = annotation_files(directory)
    whole = whole_file(files)
    if whole is not None:
        where = f"{directory}, which has no splits of its own"
        split = WHOLE if split in files else require_split(split, (WHOLE, *HASHED_SPLITS), where)
        name = whole.stem.removeprefix(_PREFIXES[0])
        places = (directory / "images" / name, directory / "images", directory / name, directory)
        return CocoLayout(whole, tuple(place.resolve() for place in places if place.is_dir()), split, whole=True)
    where = f"{directory}, where it would be annotations/instances_{split}.json"
    split = require_split(split, sorted(files), where)  # so `split` cannot be a path
    for folder in (directory / split, directory / "images" / split, directory / "images"):
        if folder.is_dir():
            return CocoLayout(files[split], (folder.resolve(),), split, folder.name == split or len(files) == 1)
    raise InputError(f"There is no folder of images {str(directory / split)!r} beside the annotations of {split!r}.")


def annotation_files(directory):
    """Finds the annotation files of a folder. If a split has several, the one with COCO's own name is taken.

    Args:
        directory: `Path`, the folder.

    Returns:
        dict of split to `Path`; a single file of all images is "all", or "default" as CVAT names it.
    """
    files = {file.parent.name: file for file in inside_children(directory, _ROBOFLOW)}
    files |= _by_split((directory / "annotations").glob("*.json"))
    if files:
        return files
    beside = sorted(file for file in directory.glob("*.json") if not file.name.startswith("."))
    for file in beside:
        if file.name == _LABEL_STUDIO:
            return {WHOLE: file}
    if len(beside) == 1 and not next(iter(_by_split(beside))).startswith(_SPLITS):
        return {WHOLE: beside[0]}
    return _by_split(beside)


def whole_file(files):
    """The annotation file of a data set without splits.

    Args:
        files: dict of `annotation_files`.

    Returns:
        `Path`, or None if the data set has splits.
    """
    return next(iter(files.values())) if files.keys() in ({WHOLE}, {_CVAT}) else None


def choose_folder(folders, records):
    """Chooses the folder that the file names are relative to: the first that has one of the first images.

    Args:
        folders: tuple of `Path`, resolved, at least one.
        records: list, the `"images"`, unchecked.

    Returns:
        `Path`, the first folder if none has one of them.
    """
    names = [record.get("file_name") for record in records[:_PROBED_NAMES] if isinstance(record, dict)]
    return next((folder for folder in folders if any(_has(folder, name) for name in names)), folders[0])


def _by_split(paths):
    named = {prefix: [] for prefix in _PREFIXES}
    for file in paths:
        named[next(prefix for prefix in _PREFIXES if file.name.startswith(prefix))].append(file)
    return {file.stem.removeprefix(prefix): file for prefix in reversed(_PREFIXES) for file in named[prefix]}


def _has(folder, name):
    try:
        return isinstance(name, str) and os.path.isfile(file_inside(folder, name))  # noqa: PTH113
    except InputError:
        return False
