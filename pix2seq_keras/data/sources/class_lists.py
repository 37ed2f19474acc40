"""The classes of a data set whose annotations name them one by one: from a list beside them, or as they are met."""

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.annotation_files import MEGABYTE, read_text
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.errors import InputError

_LISTS = ("classes.txt", "labels.txt", "labelmap.txt")  # LabelImg's and ours, Label Studio's, CVAT's
_MAX_LIST_BYTES = 4 * MEGABYTE


def listed_classes(folders):
    """The classes in `classes.txt`, `labels.txt` or `labelmap.txt`, one a line, in that order.

    Args:
        folders: list of `Path`, where to look, resolved.

    Returns:
        `Categories` with the ids 1, 2, …, or None where there is no such file.

    Raises:
        InputError: if there is one that cannot be used.
    """
    for file in (folder / name for folder in folders for name in _LISTS):
        if file.is_file():
            lines = read_text(file_inside(file.parent, file.name, "list of classes"), _MAX_LIST_BYTES).splitlines()
            lines = [line.strip() for line in lines if line.strip()]
            if file.name == "labelmap.txt":  # "cat:255,0,0:parts:actions", and a background that is no class
                lines = [line.partition(":")[0].strip() for line in lines if not line.startswith("#")]
                lines = [line for line in lines if line != "background"]
            try:
                return Categories.from_names(lines)
            except InputError as error:
                raise InputError(f"The classes in {file} cannot be used. {error}") from error
    return None


def met_classes(names, where):
    """The classes that annotations name, in alphabetical order (which is VOC's own).

    Args:
        names: iterable of str, as often as they are met.
        where: str, what was searched, for the message.

    Returns:
        `Categories` with the ids 1, 2, ….

    Raises:
        InputError: if there is none.
    """
    names = sorted({name for name in names if name})
    if not names:
        raise InputError(f"There is not one object in {where}, so its classes are unknown. List them in classes.txt.")
    return Categories.from_names(names)
