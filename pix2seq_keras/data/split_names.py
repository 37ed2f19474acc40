"""Which splits a source has, where nobody named any."""

from pathlib import Path

from pix2seq_keras.data.mixing import parse_mix
from pix2seq_keras.errors import InputError

_MADE = ("train", "val")  # of a source that has no splits of its own, see `made_split`
_USUAL = ("train", "val", "test", "trainval")


def list_splits(source):
    """The names of a source's splits, those to train on first.

    A split that holds others, such as VOC's `trainval` beside `train` and `val`, is left out.

    Args:
        source: str, as `open_source` takes it.

    Returns:
        Names, at least one. A split that is named may still turn out not to open.

    Raises:
        InputError: if the source has none, or its form is unknown.

    Example:
        >>> list_splits("coco:data/bccd")
        ['train', 'val', 'test']
    """
    kind, _, rest = str(source).partition(":")
    listing = _LISTINGS.get(kind)
    if listing is None or not (rest or kind == "digits"):
        from pix2seq_keras.data import open_source

        open_source(source, "train")  # which knows the forms there are, and refuses this one
        return ["train"]
    try:
        names = set(listing(rest))
    except OSError as error:
        raise InputError(f"{error.filename or rest} cannot be read: {error.strerror or error}.") from error
    if not names:
        raise InputError(f"{source} has no splits that can be found. Name them with --split.")
    if {"train", "val"} <= names:
        names.discard("trainval")
    return sorted(names, key=_rank)


def annotation_file(source, split):
    """The file whose records a COCO split's issues number; None where the issues name files themselves.

    Args:
        source: str, as `open_source` takes it.
        split: str, a split, or a part of one such as `train[:80%]`.

    Returns:
        Its path, as the source was written.
    """
    kind, _, rest = str(source).partition(":")
    if kind != "coco":
        return None
    if (file := _coco_file(rest)) is not None:
        return file
    found = _coco_files(Path(rest).expanduser()).get(split.partition("[")[0])
    return None if found is None else str(found)


def _rank(name):
    """train, train2017, train_extra, …, then val…, then test…, then the rest by name."""
    return next((place for place, usual in enumerate(_USUAL[:3]) if name.startswith(usual)), 3), name


def _coco_file(rest):
    from pix2seq_keras.data.open_source import file_and_folder

    file, folder = file_and_folder(rest, r"\.json")
    return None if folder is None else file


def _coco_files(folder):
    from pix2seq_keras.data.sources.coco.read import annotation_files

    return annotation_files(folder) if folder.is_dir() else {}


def _of_coco(rest):
    if _coco_file(rest) is not None:
        return _MADE
    folder = Path(rest).expanduser()
    files = _coco_files(folder)
    # COCO's own folder has captions_train2017.json and the like beside instances_train2017.json.
    pure = [name for name, file in files.items() if file.stem != name]
    return pure or files or ("train",)  # opening that says what is missing


def _of_voc(rest):
    from pix2seq_keras.data.sources.voc.layout import find_voc_layout

    folder = Path(rest.partition("?difficult=")[0]).expanduser()
    others = {path.stem for path in folder.glob("**/ImageSets/Main/*.txt")} if folder.is_dir() else set()
    others |= {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    for name in (*_USUAL, *sorted(others)):
        try:
            layout = find_voc_layout(folder, name)
        except InputError:  # not this name, or nothing at all: opening will say
            continue
        if not layout.splits:
            return _MADE
        # Lists of single classes, such as cat_train, are 20 times as many.
        return [n for n in layout.splits if "_" not in n or n.rpartition("_")[2] not in layout.splits]
    return ("train",)


def _of_yolo(rest):
    from pix2seq_keras.data.open_source import file_and_folder
    from pix2seq_keras.data.sources.yolo.config import read_yolo_config

    file, folder = file_and_folder(rest, r"\.ya?ml")
    return read_yolo_config(Path(file).expanduser(), folder and Path(folder).expanduser()).splits


def _of_digits(rest):
    from pix2seq_keras.data.sources.digits.scenes import SIZES

    return SIZES[rest or "96"].num_scenes if (rest or "96") in SIZES else ("train",)


def _of_tfds(rest):
    from tensorflow_datasets.core import read_only_builder

    from pix2seq_keras.data.sources.tfds.read import data_dir

    return _of_builder(lambda: read_only_builder.builder_from_files(rest.partition("?")[0], data_dir=data_dir()))


def _of_tfrecord(rest):
    from tensorflow_datasets.core import read_only_builder

    return _of_builder(lambda: read_only_builder.builder_from_directory(Path(rest).expanduser()))


def _of_builder(build):
    try:
        return list(build().info.splits)
    except Exception:  # TFDS stumbles over what is not there in many ways; opening a split says it in a sentence
        return ("train",)


def _of_mix(rest):
    """Splits that every data set of the mixture has, under the mixture's names for them."""
    common = None
    for term in parse_mix(rest):
        own = set(list_splits(term.source))
        named = {name for name in own if name not in term.splits.values()}
        named |= {name for name, theirs in term.splits.items() if theirs in own}
        common = named if common is None else common & named
    return common


_LISTINGS = {
    "coco": _of_coco,
    "voc": _of_voc,
    "yolo": _of_yolo,
    "digits": _of_digits,
    "tfds": _of_tfds,
    "tfrecord": _of_tfrecord,
    "mix": _of_mix,
    "mix-by-name": _of_mix,
}
