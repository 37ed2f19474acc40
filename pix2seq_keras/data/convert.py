"""Conversion of a source, or of several splits of one, to another format, as one atomic write."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.atomic_files import atomic_folder, require_writable_folder
from pix2seq_keras.data.formats import find_writable_format
from pix2seq_keras.data.open_source import open_source
from pix2seq_keras.errors import InputError


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion.

    Args:
        source: str, the converted source, as `open_source` and `--data` take it.
        images: dict of split to int, the number of images.
        objects: dict of split to int, the number of objects, with crowds if the format has them.
        notes: tuple of str, what changed; empty if nothing was lost.
    """

    source: str
    images: dict[str, int]
    objects: dict[str, int]
    notes: tuple[str, ...]


def open_splits(source, splits):
    """Opens several splits for a conversion.

    Args:
        source: str, as `open_source` takes it.
        splits: str, splits with commas between them. `train=all[:80%],val=all[80%:]` names them; otherwise a split
            keeps its name, without the slice.

    Returns:
        dict of name to `Source`, in the order of `splits`.

    Raises:
        InputError: if two splits have the same name, or a split cannot be opened.

    Example:
        >>> convert_source(open_splits("voc:VOC2012", "train,val"), "voc_as_coco", to="coco")
    """
    named = {}
    for text in filter(None, (word.strip() for word in splits.split(","))):
        name, equals, split = (word.strip() for word in text.partition("="))
        if not equals:
            name, split = _split_name(text), text
        if name in named:
            raise InputError(
                f"The names of splits must differ. Received: {name!r} twice. Give them names, for example "
                f"'train={named[name]},val={split}'."
            )
        named[name] = split
    if not named:
        raise InputError(
            f"`split` must name the splits to convert, such as 'train' or 'train,val'. Received: {splits!r}"
        )
    return {name: open_source(source, split) for name, split in named.items()}


def convert_source(source, output, to="coco", progress=None):
    """Writes a source in another format.

    Images are copied unchanged if they are upright and in a format that the target allows; others are converted to
    PNG, without loss. Boxes read back from COCO, YOLO and TFRecord are bit-identical; those of VOC are whole pixels.
    Crowds become VOC's difficult objects; YOLO has no crowds, so they are left out. `Conversion.notes` lists what was
    lost.

    Args:
        source: `Source`, or a dict of name to `Source` for several splits.
        output: path, the folder to write, which must be empty or not exist.
        to: str, a format that can be written, see `formats.writable_formats`. Defaults to "coco".
        progress: function that is called with the number of images done after each. Defaults to None.

    Returns:
        `Conversion`.

    Raises:
        InputError: if the folder is not empty or cannot be written, the splits have different classes, or no image can
            be read.

    Example:
        >>> convert_source(open_source("tfds:voc/2012", "train"), "voc_as_coco", to="coco").source
        'coco:voc_as_coco'
    """
    data_format = find_writable_format(to)
    splits = dict(source) if isinstance(source, Mapping) else {_split_name(source.split): source}
    _check_splits(splits)
    output = Path(output).expanduser()
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise InputError(f"`output` must be a new or empty folder. Received: {str(output)!r}, which is not empty.")
    require_writable_folder(output.absolute().parent)

    counts = ConversionCounts(progress)
    with atomic_folder(output) as folder:
        data_format.function("write")(folder, splits, counts)
        if not sum(counts.images.values()):
            issues = "\n".join(split.issues.summary() for split in splits.values())
            raise InputError(f"None of the images can be read, so nothing was written.\nIssues:\n{issues}")
    return Conversion(
        data_format.read_back.format(folder=output),
        {name: counts.images[name] for name in splits},
        {name: counts.objects[name] for name in splits},
        tuple(f"{count} {what}" for what, count in counts.notes.items()),
    )


class ConversionCounts:
    """Counts the images and objects that a conversion writes, and what it changes.

    Args:
        progress: function of the number of images done, or None. Defaults to None.
    """

    def __init__(self, progress=None):
        self.images, self.objects, self.notes = Counter(), Counter(), Counter()
        self._progress, self._done = progress, 0

    def add_image(self, split, objects):
        """Counts an image that was written.

        Args:
            split: str, its split.
            objects: int, the number of its objects.
        """
        self.images[split] += 1
        self.objects[split] += objects

    def add_note(self, what, count=1):
        """Counts a change.

        Args:
            what: str, the text after the number, such as "crowds are left out".
            count: int, how many. Defaults to 1.
        """
        if count:
            self.notes[what] += int(count)

    def image_done(self):
        """Counts an image for the progress, written or not."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done)


def _split_name(split):
    """A name for a split or a part of one: "train[:80%]" becomes "train", "train+val" becomes "train_val"."""
    return re.sub(r"\W+", "_", re.sub(r"\[[^]]*\]", "", split)).strip("_") or "all"


def _check_splits(splits):
    if not splits:
        raise InputError("`source` must have at least one split. Received: none")
    for name in splits:
        if not re.fullmatch(r"\w{1,100}", name):
            raise InputError(f"The name of a split must have only letters, digits and underscores. Received: {name!r}")
    first = next(iter(splits.values()))
    for name, other in splits.items():
        if other.categories != first.categories:
            raise InputError(
                f"The splits to convert must have the same classes in the same order. Received: {name!r} with "
                f"{len(other.categories)} classes, while the first split has {len(first.categories)}. Convert them one "
                "by one."
            )
