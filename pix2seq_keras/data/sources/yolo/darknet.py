"""Darknet's description of a data set, which CVAT writes too: `obj.data` beside `obj.names` and lists of images."""

from pathlib import PurePosixPath

from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.parse_number import parse_number
from pix2seq_keras.data.sources.yolo.class_names import read_class_names
from pix2seq_keras.data.sources.yolo.config import YoloConfig, find_roots, read_categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE

_SPLITS = ("train", "valid", "val", "test")
_MAX_BYTES = MEGABYTE


def read_darknet(file, folder=None):
    """Reads an `obj.data`: lines such as `train = data/train.txt`.

    Args:
        file: `Path`.
        folder: `Path` or None, the folder that its entries are relative to, if the user gave one. Defaults to None:
            the file's own folder. Darknet's entries are relative to where it was started, so the end of an entry that
            exists in the folder is taken.

    Returns:
        `YoloConfig`.

    Raises:
        InputError: if it cannot be read, or lacks usable classes or splits.
    """
    values = {}
    for line in read_text(file, _MAX_BYTES).splitlines():
        key, equals, value = (part.strip() for part in line.partition("#")[0].partition("="))
        if equals and value:
            values[key] = value
    splits = {key: [value] for key, value in values.items() if key in _SPLITS}
    if not splits:
        raise InputError(
            f"Darknet's data file must have lines such as train = train.txt and names = obj.names. Received: {file}"
        )
    roots = find_roots(file, None, folder)
    count = parse_number(values.get("classes"))
    count = int(count) if count is not None and count == int(count) else None
    names_file = _names_file(file, values.get("names"))
    return YoloConfig(
        file=file,
        roots=roots,
        categories=read_categories(file, None if names_file is None else read_class_names(names_file), count),
        splits=splits,
        has_keypoints=False,
        folder_given=folder is not None,
        declared_count=count,
    )


def _names_file(file, entry):
    """The list of classes: it is sought beside the data file, whatever folder its entry names."""
    home = file.resolve().parent
    names = [] if entry is None else [PurePosixPath(entry.replace("\\", "/")).name]
    names += sorted(path.name for path in home.glob("*.names"))
    return next(
        (file_inside(home, name, "list of classes") for name in names if name and (home / name).is_file()), None
    )
