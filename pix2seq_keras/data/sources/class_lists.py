"""The classes of a data set whose annotations name them: from a list file, or from the annotations themselves."""

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.annotation_files import read_text
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE

_LISTS = ("classes.txt", "labels.txt", "labelmap.txt")  # LabelImg's and ours, Label Studio's, CVAT's
_MAX_LIST_BYTES = 4 * MEGABYTE


def read_class_list(folders):
    """Reads the classes from `classes.txt`, `labels.txt` or `labelmap.txt`, one per line, in the order of the file.

    Args:
        folders: list of `Path`, resolved, searched in this order.

    Returns:
        `Categories` with the ids 1, 2, …, or None if there is no such file.

    Raises:
        InputError: if the file cannot be used.
    """
    for file in (folder / name for folder in folders for name in _LISTS):
        if file.is_file():
            lines = read_text(file_inside(file.parent, file.name, "list of classes"), _MAX_LIST_BYTES).splitlines()
            lines = [line.strip() for line in lines if line.strip()]
            if file.name == "labelmap.txt":  # lines such as "cat:255,0,0:parts:actions"
                lines = [line.partition(":")[0].strip() for line in lines if not line.startswith("#")]
                lines = [line for line in lines if line != "background"]
            try:
                return Categories.from_names(lines)
            except InputError as error:
                raise InputError(f"The classes in {file} cannot be used. {error}") from error
    return None


def classes_from_names(names, where, issues):
    """The classes that annotations name, in alphabetical order, which is that of VOC.

    Args:
        names: iterable of str, one per object.
        where: str, what was searched, for the message.
        issues: `Issues`, found so far, for the message: they may be the reason.

    Returns:
        `Categories` with the ids 1, 2, ….

    Raises:
        InputError: if there are no names.
    """
    names = sorted({name for name in names if name})
    if not names:
        reasons = f"\n{issues.summary()}" if len(issues) else ""
        raise InputError(
            f"There are no objects in {where}, so its classes are unknown. List them in classes.txt.{reasons}"
        )
    return Categories.from_names(names)
