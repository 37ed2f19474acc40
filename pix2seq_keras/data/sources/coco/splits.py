"""The splits of a COCO source."""

from pathlib import Path

from pix2seq_keras.data.sources.coco.layout import annotation_files, whole_file
from pix2seq_keras.data.sources.coco.read import CROWDS, FILE_SUFFIX
from pix2seq_keras.data.sources.location import file_and_folder, split_option
from pix2seq_keras.data.sources.split_by_hash import HASHED_SPLITS
from pix2seq_keras.data.sources.split_choice import find_split


def list_splits(location):
    """Lists the splits.

    Args:
        location: str, "DIR" or "FILE.json+DIR"; either may end in "?iscrowd=keep".

    Returns:
        Collection of str, at least one name.

    Raises:
        InputError: if the location has an unknown option.
    """
    location, _ = split_option(location, *CROWDS)
    if file_and_folder(location, FILE_SUFFIX)[1] is not None:
        return HASHED_SPLITS
    files = _files(location)
    if whole_file(files) is not None:
        return HASHED_SPLITS
    # COCO's own folder has captions_train2017.json and others beside instances_train2017.json.
    instances = [name for name, file in files.items() if file.stem not in (name, f"image_info_{name}")]
    return instances or files or ("train",)  # opening "train" then reports what is missing


def annotation_file(location, split):
    """Finds the file whose records the issues of a split number.

    Args:
        location: str, "DIR" or "FILE.json+DIR"; either may end in "?iscrowd=keep".
        split: str, a split or a part of it.

    Returns:
        str, the path as the user wrote it, or None if there is none.
    """
    location, _ = split_option(location, *CROWDS)
    file, folder = file_and_folder(location, FILE_SUFFIX)
    if folder is not None:
        return file
    files = _files(location)
    file = whole_file(files) or files.get(find_split(split.partition("[")[0], files))
    return None if file is None else str(file)


def _files(location):
    folder = Path(location).expanduser()
    return annotation_files(folder) if folder.is_dir() else {}
