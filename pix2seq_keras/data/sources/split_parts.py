"""The syntax of splits for all sources: names, slices (`train[:80%]`) and sums (`train+val`)."""

import re
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.errors import InputError

_EDGE = r"-?\d{1,18}%?"
_PART = re.compile(rf"(?P<name>[^\[\]+]+)(?:\[(?P<start>{_EDGE})?:(?P<stop>{_EDGE})?\])?")


@dataclass(frozen=True)
class SplitPart:
    """One term of a split as the user wrote it.

    Args:
        name: str, the split's name in the data set.
        start: str or None, where the part begins, such as "100", "-50" or "80%"; None for the beginning.
        stop: str or None, where it ends, in the same notation; None for the end.
    """

    name: str
    start: str | None = None
    stop: str | None = None

    @property
    def text(self):
        """The term as a user writes it: str."""
        if self.start is None and self.stop is None:
            return self.name
        return f"{self.name}[{self.start or ''}:{self.stop or ''}]"

    def bounds(self, count):
        """The indices of the part.

        Args:
            count: int, number of images of the whole split.

        Returns:
            `(start, stop)`: the first index and the one after the last.
        """
        start = 0 if self.start is None else _edge(self.start, count)
        stop = count if self.stop is None else _edge(self.stop, count)
        return start, max(start, stop)


def parse_split(text):
    """Parses a split.

    Args:
        text: str, "NAME", "NAME[START:STOP]" with integers or percents, where negative ones count from the end, or
            several of these joined by "+".

    Returns:
        List of `SplitPart`, or None if the text has another form.

    Example:
        >>> parse_split("train[80%:]+val")
        [SplitPart(name='train', start='80%', stop=None), SplitPart(name='val', start=None, stop=None)]
    """
    terms = [_PART.fullmatch(term.strip()) for term in str(text).split("+")]
    if not all(terms):
        return None
    return [SplitPart(term["name"].strip(), term["start"], term["stop"]) for term in terms]


def rename_parts(text, rename):
    """Renames the splits in a text such as "train[80%:]+val"; their slices stay.

    Args:
        text: str, as `parse_split` takes it. Another form counts as one name.
        rename: function of a name that returns the new one.

    Returns:
        str.

    Example:
        >>> rename_parts("train[80%:]+val", {"train": "trainval", "val": "test"}.get)
        'trainval[80%:]+test'
    """
    parts = parse_split(text)
    if parts is None:
        return rename(text)
    return "+".join(SplitPart(rename(part.name), part.start, part.stop).text for part in parts)


def take_part(source, part):
    """Takes the images of a part, in the source's order.

    Percents are rounded to the nearest image, as in TFDS, so `[:p%]` and `[p%:]` together are always the whole.

    Args:
        source: `Source`, the whole split.
        part: `SplitPart`.

    Returns:
        `Source`, the source itself or a part of it.

    Raises:
        InputError: if the part has no image.
    """
    if part.start is None and part.stop is None:
        return source
    start, stop = part.bounds(len(source))
    if start == stop:
        raise InputError(
            f"The split {part.text!r} of {source.name} has no images: {part.name!r} has {len(source)} in all."
        )
    return source.part(np.arange(start, stop), split=part.text)


def _edge(text, count):
    edge = percent_of(int(text[:-1]), count) if text.endswith("%") else int(text)
    return min(max(edge + count if text.startswith("-") else edge, 0), count)


def percent_of(percent, count):
    """A share of a number of images, rounded to the nearest integer.

    Args:
        percent: int.
        count: int.

    Returns:
        int.
    """
    return round(percent * count / 100)
