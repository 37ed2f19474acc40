"""Splits by name, parts of them by slice (`train[:80%]`), several together (`train+val`), for every source alike."""

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.errors import InputError

WHOLE = "all"
_TRAIN_PERCENT = 80
_EDGE = r"-?\d{1,18}%?"
_PART = re.compile(rf"(?P<name>[^\[\]+]+)(?:\[(?P<start>{_EDGE})?:(?P<stop>{_EDGE})?\])?")


@dataclass(frozen=True)
class SplitPart:
    """One term of what a user writes for a split.

    Args:
        name: the split as the data set calls it.
        start: where the part begins, such as "100", "-50" or "80%"; None for the beginning.
        stop: where it ends, likewise; None for the end.
    """

    name: str
    start: str | None = None
    stop: str | None = None

    @property
    def text(self):
        """As a user writes it."""
        if self.start is None and self.stop is None:
            return self.name
        return f"{self.name}[{self.start or ''}:{self.stop or ''}]"

    def bounds(self, count):
        """First and one past last index of the part among `count` images."""
        start = 0 if self.start is None else _edge(self.start, count)
        stop = count if self.stop is None else _edge(self.stop, count)
        return start, max(start, stop)


def parse_split(text):
    """Reads what a user writes for a split.

    Args:
        text: str, "NAME", "NAME[START:STOP]" with whole numbers or percents, negative ones counted from the end, or
            several of these joined by "+".

    Returns:
        The parts, or None where the text is nothing of the kind.

    Example:
        >>> parse_split("train[80%:]+val")
        [SplitPart(name='train', start='80%', stop=None), SplitPart(name='val', start=None, stop=None)]
    """
    terms = [_PART.fullmatch(term.strip()) for term in str(text).split("+")]
    if not all(terms):
        return None
    return [SplitPart(term["name"].strip(), term["start"], term["stop"]) for term in terms]


def take_part(source, part):
    """The images of `source` that `part` names, in the source's order.

    Percents are rounded to the nearest image, as TFDS does, so `[:p%]` and `[p%:]` always make up the whole.

    Args:
        source: `Source`, the whole split.
        part: a `SplitPart`.

    Returns:
        The source itself, or a part of it.

    Raises:
        InputError: if the part holds no image.
    """
    if part.start is None and part.stop is None:
        return source
    start, stop = part.bounds(len(source))
    if start == stop:
        raise InputError(
            f"The split {part.text!r} of {source.name} holds no images: {part.name!r} has {len(source)} in all."
        )
    return source.part(np.arange(start, stop), split=part.text)


def made_split(source, split, names):
    """A split of a source that has none of its own: everything, or a fixed share of it.

    "all" is everything in its order. "train" is 80 % of it and "val" the rest, so that a data set without splits can
    be trained on as it is. Which images go where is decided by a hash of their file names: the same everywhere and
    whenever, whatever folder they lie in, and not by the order of the file, which is often sorted by scene or class.

    Args:
        source: `Source`, everything.
        split: str, "all", "train" or "val".
        names: list of str, `(N,)` what the images are called within the data set.

    Returns:
        A `Source` in the order of `source`.

    Raises:
        InputError: if it is another split, or one of the two would be empty.
    """
    if split == WHOLE:
        return source
    if split not in ("train", "val"):
        raise InputError(
            f"{source.name} has no splits of its own. Use 'all', a part of it such as 'all[:80%]', or 'train' and "
            f"'val', which are {_TRAIN_PERCENT} % of it and the rest. Received: split={split!r}"
        )
    hashes = [hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() for name in names]
    shuffled = sorted(range(len(names)), key=lambda index: (hashes[index], index))
    count = _percent(_TRAIN_PERCENT, len(names))
    chosen = sorted(shuffled[:count] if split == "train" else shuffled[count:])
    if not chosen:
        raise InputError(
            f"{source.name} has only {len(source)} images, too few to be split into 'train' and 'val'. Use 'all'."
        )
    source.issues.add(
        "split by file hash",
        f"{source.name} ({split})",
        f"{source.name} has no splits of its own: {split!r} is {len(chosen)} of its {len(source)} images, chosen by "
        "a hash of their file names.",
    )
    return source.part(chosen, split=split)


def _edge(text, count):
    edge = _percent(int(text[:-1]), count) if text.endswith("%") else int(text)
    return min(max(edge + count if text.startswith("-") else edge, 0), count)


def _percent(percent, count):
    return round(percent * count / 100)
