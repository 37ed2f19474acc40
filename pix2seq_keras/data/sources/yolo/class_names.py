"""The classes of YOLO folders without a `data.yaml`, in the order of their numbers."""

from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE, parse_json

# LabelImg's and Label Studio's, darknet's, others'. LabelImg writes its list beside the label files.
_FILES = ("classes.txt", "obj.names", "classes.names", "labels.txt")
CLASS_LISTS = frozenset((*_FILES, "predefined_classes.txt", "labelmap.txt"))
_FOLDERS = ("", "labels/", "images/")
_NOTES = "notes.json"  # Label Studio's, with the names once more
_MAX_BYTES = 4 * MEGABYTE


def find_class_names(root):
    """Finds the list of classes of a folder.

    Args:
        root: `Path`, the resolved folder.

    Returns:
        `(file, names)`: `Path` and a list or dict of names as `data.yaml` has them; None if there is no list.

    Raises:
        InputError: if the list cannot be read.
    """
    for name in (f"{folder}{file}" for file in _FILES for folder in _FOLDERS):
        if (root / name).is_file():
            return root / name, read_class_names(file_inside(root, name, "list of classes"))
    if (root / _NOTES).is_file():
        return root / _NOTES, _names_of_notes(file_inside(root, _NOTES, "list of classes"))
    return None


def read_class_names(file):
    """Reads a list of classes, one a line.

    Args:
        file: `Path`.

    Returns:
        List of str. An empty line within counts, since the number of a class is that of its line.

    Raises:
        InputError: if the file cannot be read.
    """
    lines = [line.strip() for line in read_text(file, _MAX_BYTES).rstrip().splitlines()]
    return [line or f"class {number}" for number, line in enumerate(lines)]


def _names_of_notes(file):
    try:
        records = parse_json(read_text(file, _MAX_BYTES), str(file))["categories"]
        return {record["id"]: record["name"] for record in records}
    except (TypeError, LookupError) as error:
        raise InputError(f'{file} must have "categories" with "id" and "name": {short_repr(error)}.') from error
