"""Several data sets at once, each with its share: `mix:0.7*[coco:A]+0.3*[yolo:b/data.yaml]`.

Brackets keep the terms apart, for paths may hold `+`, `*` and commas, and a COCO source itself is written with a `+`.
"""

import re
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.data.sources.joining import join
from pix2seq_keras.data.sources.splits import SplitPart, parse_split
from pix2seq_keras.errors import InputError

_WEIGHT = r"\d+(?:\.\d*)?|\.\d+"
_TERM = re.compile(
    rf"(?:(?P<weight>{_WEIGHT})\*)?\[(?P<source>.+?)\](?:\{{(?P<splits>[^{{}}]*)\}})?(?:$|\+(?=[\d.\[]))", re.DOTALL
)
_MOST_EXAMPLES = 100_000_000


@dataclass(frozen=True)
class MixTerm:
    """One data set of a mixture.

    Args:
        source: as `open_source` takes it.
        weight: its share, relative to the others'; None if the mixture has no weights.
        splits: what the data set calls a split that the mixture calls otherwise.
    """

    source: str
    weight: float | None
    splits: dict[str, str]


def parse_mix(text):
    """Reads what stands behind `mix:`.

    Args:
        text: str, `[SOURCE]+[SOURCE]+…` or, with a weight for each, `WEIGHT*[SOURCE]+WEIGHT*[SOURCE]+…`. Behind a
            bracket `{train=train2017,val=val2017}` may say what this data set calls its splits.

    Returns:
        The terms.

    Raises:
        InputError: if it is nothing of the kind.

    Example:
        >>> [term.source for term in parse_mix("0.7*[coco:a.json+images]+0.3*[voc:B]{train=trainval}")]
        ['coco:a.json+images', 'voc:B']
    """
    terms, position = [], 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise _unreadable(text)
        position = match.end()
        weight = None if match["weight"] is None else float(match["weight"])
        splits = {}
        for pair in filter(None, (match["splits"] or "").split(",")):
            own, equals, theirs = (word.strip() for word in pair.partition("="))
            if not (own and equals and theirs):
                raise _unreadable(text)
            splits[own] = theirs
        terms.append(MixTerm(match["source"], weight, splits))
    if not terms or text.endswith("+"):
        raise _unreadable(text)
    weights = [term.weight for term in terms]
    if weights.count(None) not in (0, len(weights)):
        raise InputError(f"Either all data sets of a mixture have weights or none. Received: 'mix:{text}'")
    if any(weight is not None and not 1e-9 <= weight <= 1e9 for weight in weights):
        raise InputError(f"The weights of a mixture must be positive. Received: {weights}")
    return terms


def open_mix(text, split, open_source, by_name=False):
    """Opens a mixture.

    Without weights every image comes once, data set after data set. With weights the data sets are woven into each
    other so that every stretch of the order has their shares, among the images with objects, which are the ones drawn
    in training; none is left out: images of data sets smaller than their share come several times. (So evaluate on
    a mixture without weights.) Parts such as `train[:80%]` are taken of every data set, before.

    Args:
        text: str, as `parse_mix` takes it.
        split: str, of every data set.
        open_source: function (source, split) that opens each.
        by_name: bool, whether classes are matched by their names.

    Returns:
        A `Source`; see `join` for its image ids.

    Raises:
        InputError: if a data set cannot be opened, or their classes differ and `by_name` is not set.
    """
    terms = parse_mix(text)
    sources = [open_source(term.source, _renamed(split, term.splits)) for term in terms]
    name = f"mix-by-name:{text}" if by_name else f"mix:{text}"
    order = None
    if terms[0].weight is not None:
        order = _woven(sources, np.asarray([term.weight for term in terms]), name)
    return join(sources, name, split, order, by_name)


def _woven(sources, weights, name):
    """int64 `(M, 2)`: source and image of each place."""
    drawn = [np.flatnonzero(source.annotated) for source in sources]
    counts = np.asarray([len(indices) for indices in drawn], np.float64)
    for source, count in zip(sources, counts, strict=True):
        if not count:
            raise InputError(f"{source.name} ({source.split}) has no image with objects to give its share of {name}.")
    # The data set that is largest for its share comes once, the others as often as that takes.
    totals = np.round(weights * (counts / weights).max())
    if totals.sum() > _MOST_EXAMPLES:
        raise InputError(
            f"With these weights an epoch of {name} would be {totals.sum():,.0f} examples long, since every image "
            f"comes at least once and the smallest weight belongs to {int(counts[weights.argmin()])} images."
        )
    places, keys = [], []
    for number, (source, indices, total) in enumerate(zip(sources, drawn, totals.astype(np.int64), strict=True)):
        turns = indices[np.arange(total) % len(indices)]
        rest = np.flatnonzero(~source.annotated)  # these are not drawn, but belong to the data set
        for chosen in (turns, rest):
            places.append(np.stack([np.full(len(chosen), number), chosen], axis=-1))  # (m, 2)
            keys.append((np.arange(len(chosen)) + 0.5) / max(len(chosen), 1))  # where in the whole, from 0 to 1
    return np.concatenate(places)[np.argsort(np.concatenate(keys), kind="stable")]


def _renamed(split, splits):
    parts = parse_split(split)
    if parts is None:
        return splits.get(split, split)
    return "+".join(SplitPart(splits.get(part.name, part.name), part.start, part.stop).text for part in parts)


def _unreadable(text):
    return InputError(
        "A mixture is written mix:[SOURCE]+[SOURCE] or, with shares, mix:0.7*[SOURCE]+0.3*[SOURCE], each SOURCE as it "
        f"is written alone; {{train=train2017}} behind a bracket names its splits. Received: 'mix:{text}'"
    )
