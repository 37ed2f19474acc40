"""The splits of a VOC source."""

from pathlib import Path

from pix2seq_keras.data.sources.listing import inside_children
from pix2seq_keras.data.sources.split_by_hash import HASHED_SPLITS
from pix2seq_keras.data.sources.voc.layout import find_voc_layout, without_class_lists
from pix2seq_keras.data.sources.voc.read import folder_and_difficult
from pix2seq_keras.errors import InputError

_LISTS = "ImageSets/Main"
_USUAL = ("train", "val", "test", "trainval")


def list_splits(location):
    """Lists the splits.

    Args:
        location: str, "DIR" or "DIR?difficult=keep".

    Returns:
        Collection of str, at least one name.
    """
    folder = Path(folder_and_difficult(location)[0]).expanduser()
    lists = [folder / _LISTS, *inside_children(folder, _LISTS), *inside_children(folder / "VOCdevkit", _LISTS)]
    others = {path.stem for place in lists for path in place.glob("*.txt")}
    others |= {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    for name in (*_USUAL, *sorted(others)):
        try:
            layout = find_voc_layout(folder, name)
        except InputError:  # there is no split of this name, or no data; opening "train" then reports that
            continue
        return without_class_lists(layout.splits) if layout.splits else HASHED_SPLITS
    return ("train",)
