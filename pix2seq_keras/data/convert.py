"""A source, or several splits of one, written to a folder in another format: whole or not at all."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.atomic_files import atomic_folder, require_writable_folder
from pix2seq_keras.data.open_source import open_source
from pix2seq_keras.data.sources.coco.write import write_coco
from pix2seq_keras.data.sources.voc.write import write_voc
from pix2seq_keras.data.sources.yolo.write import write_yolo
from pix2seq_keras.errors import InputError

FORMATS = ("coco", "voc", "yolo", "tfrecord")


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Args:
        source: what to write after `--data` to read it back.
        images: how many, by split.
        objects: how many, by split; crowds are counted where the format has them.
        notes: what is not as it was, sentences; empty if nothing was lost.
    """

    source: str
    images: dict[str, int]
    objects: dict[str, int]
    notes: tuple[str, ...]


def open_splits(source, splits):
    """Opens several splits, each under the name it is to have in the conversion.

    Args:
        source: str, as `open_source` takes it.
        splits: str, splits with commas between them. `train=all[:80%],val=all[80%:]` names them; otherwise a split
            keeps its name, without the slice.

    Returns:
        `{name: Source}`, in the order given.

    Raises:
        InputError: if a name comes twice, or a split cannot be opened.

    Example:
        >>> convert_source(open_splits("voc:VOC2012", "train,val"), "voc_as_coco", to="coco")
    """
    named = {}
    for text in filter(None, (word.strip() for word in splits.split(","))):
        name, equals, split = (word.strip() for word in text.partition("="))
        if not equals:
            name, split = _plain(text), text
        if name in named:
            raise InputError(
                f"Two splits would be called {name!r}. Name them: 'train={named[name]},val={split}', for example."
            )
        named[name] = split
    if not named:
        raise InputError(f"Name the splits to convert, such as 'train' or 'train,val'. Received: {splits!r}")
    return {name: open_source(source, split) for name, split in named.items()}


def convert_source(source, output, to="coco", progress=None):
    """Writes a source in another format.

    Images are copied byte by byte where they are upright and of a kind the format knows; others are written as PNG,
    which loses nothing. Boxes read back from COCO, YOLO and TFRecord are the same to the last bit; VOC's are whole
    pixels. Crowds become VOC's difficult objects; YOLO has no word for them, so they are left out. What is lost is
    said.

    Args:
        source: a `Source`, or several under the names their splits are to have.
        output: path, the folder to write, which must not exist yet or be empty.
        to: str, "coco", "voc", "yolo" or "tfrecord".
        progress: function called with the number of images done after each. Defaults to None.

    Returns:
        A `Conversion`.

    Raises:
        InputError: if the folder holds something or cannot be written, the splits have different classes, or no
            image can be read.

    Example:
        >>> convert_source(open_source("tfds:voc/2012", "train"), "voc_as_coco", to="coco").source
        'coco:voc_as_coco'
    """
    if to not in FORMATS:
        raise InputError(f"Data can be converted to {', '.join(FORMATS)}. Received: to={to!r}")
    splits = dict(source) if isinstance(source, Mapping) else {_plain(source.split): source}
    _check_splits(splits)
    output = Path(output).expanduser()
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise InputError(f"{str(output)!r} exists and is not empty. Choose a new folder, so that nothing is lost.")
    require_writable_folder(output.absolute().parent)

    tally = Tally(progress)
    with atomic_folder(output) as folder:
        _writer(to)(folder, splits, tally)
        if not sum(tally.images.values()):
            found = "\n".join(split.issues.summary() for split in splits.values())
            raise InputError(f"None of the images can be read, so nothing was written.\nFound there:\n{found}")
    read_back = f"yolo:{output / 'data.yaml'}" if to == "yolo" else f"{to}:{output}"
    return Conversion(
        read_back,
        {name: tally.images[name] for name in splits},
        {name: tally.objects[name] for name in splits},
        tuple(f"{count} {what}" for what, count in tally.notes.items()),
    )


class Tally:
    """Counts what is written and what is lost.

    Args:
        progress: function of the number of images done, or None.
    """

    def __init__(self, progress=None):
        self.images, self.objects, self.notes = Counter(), Counter(), Counter()
        self._progress, self._done = progress, 0

    def add(self, split, objects):
        """Counts an image that was written, with so many objects."""
        self.images[split] += 1
        self.objects[split] += objects

    def note(self, what, count=1):
        """Counts a loss: `what` follows on a number."""
        if count:
            self.notes[what] += int(count)

    def done(self):
        """One more image has been looked at."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done)


def _writer(to):
    if to == "tfrecord":  # TFDS takes seconds to import
        from pix2seq_keras.data.sources.tfds.write import write_tfrecord

        return write_tfrecord
    return {"coco": write_coco, "voc": write_voc, "yolo": write_yolo}[to]


def _plain(split):
    """A name for a split or a part of one: "train[:80%]" is "train", "train+val" is "train_val"."""
    return re.sub(r"\W+", "_", re.sub(r"\[[^]]*\]", "", split)).strip("_") or "all"


def _check_splits(splits):
    if not splits:
        raise InputError("There is no split to convert.")
    for name in splits:
        if not re.fullmatch(r"\w{1,100}", name):
            raise InputError(f"A split's name is made of letters, digits and underscores. Received: {name!r}")
    first = next(iter(splits.values()))
    for name, other in splits.items():
        if other.categories != first.categories:
            raise InputError(
                f"The splits to convert have different classes: {name!r} has {len(other.categories)}, the first has "
                f"{len(first.categories)}, or they are ordered differently. Convert them one by one."
            )
