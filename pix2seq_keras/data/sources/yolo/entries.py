"""The entries of a `data.yaml`, such as `train: images/train`: folders of images, and text files that list images."""

import re

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.sources.annotation_files import read_names
from pix2seq_keras.data.sources.file_finder import FileFinder, note_difference
from pix2seq_keras.data.sources.listing import files_below, is_image_name
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.unused_files import may_be_missed, note_unused
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE

_MAX_LIST_BYTES = 1024 * MEGABYTE


def find_entries(config, split, reader):
    """Finds the folders and lists of a split in one of the data set's folders.

    Entries that exist as they are written win. Otherwise they were written on another machine: the longest tail of
    `path` and the entry is taken that exists inside the folder.

    Args:
        config: `YoloConfig`.
        split: str, one of its splits.
        reader: `LenientReader`; entries that are found by another name are noted.

    Returns:
        `(root, places)`: the folder, and a list of `FoundFile`; or None if an entry is in none of the folders.

    Raises:
        InputError: if an entry fits several files or folders, or another split's entry leads to the same one.
    """
    finders = [FileFinder(root) for root in config.roots]
    for tails in (False, True):
        for finder in finders:
            places = [_find(finder, entry, config.path, tails) for entry in config.splits[split]]
            if None not in places:
                if tails:
                    _refuse_shared(finder, config, split, places)
                for place in places:
                    note_difference(place, reader)
                return finder.folder, places
    return None


def names_of_entry(root, place, issues):
    """Lists the images of an entry, and notes other files in its folder.

    Args:
        root: `Path`, the folder of the data set.
        place: `Path`, resolved, of a folder of images or a text file inside the root.
        issues: `Issues`.

    Returns:
        List of str, names relative to the root with forward slashes; those of a folder are sorted, those of a text
        file are as it has them, unchecked.
    """
    inside = "" if place == root else f"{place.relative_to(root).as_posix()}/"
    if place.is_dir():
        names = [f"{inside}{file_name}" for file_name in files_below(place)]
        note_unused(list(filter(may_be_missed, names)), "no images by their endings", inside or ".", issues)
        return list(filter(is_image_name, names))
    beside = inside.rstrip("/").rpartition("/")[0]
    names = []
    for line in read_names(place, _MAX_LIST_BYTES):
        name = line.strip().removeprefix(f"{root}/")
        if name.startswith(("./", ".\\")):  # for Ultralytics these are relative to the list, all others to the root
            name = f"{beside}/{name[2:]}".lstrip("/")
        if name:
            names.append(name)
    return names


def _find(finder, entry, path, tails):
    """The place of an entry, or None; Roboflow's "../train/images" means "train/images"."""
    name = re.sub(r"^(\.\.[/\\])+", "", entry.strip())
    if tails and path and not re.match(r"[/\\]|[A-Za-z]:", name):
        name = f"{path}/{name}"
    try:
        found = finder.find(name.rstrip("/\\") or ".", "split", tails)
        return found if found.path.is_dir() or found.path.is_file() else None
    except ImageError as error:
        if error.kind == "ambiguous file name":
            raise
        return None
    except OSError:
        return None


def _refuse_shared(finder, config, split, places):
    """/a/train/images and /a/val/images cannot both be images/: training images would be evaluated."""
    paths = {place.path: place for place in places}
    for other, entries in config.splits.items():
        for entry in entries:
            found = _find(finder, entry, config.path, True)
            if other != split and entry not in config.splits[split] and found is not None and found.path in paths:
                raise InputError(
                    f"Each split of {config.file} must have its own folder. Received: {split} "
                    f"{short_repr(config.splits[split])} and {other} {short_repr(entry)}, for both of which only "
                    f"{short_repr(found.name)} exists in {str(finder.folder)!r}. Write the folders as they are there."
                )
