"""Several data sets as one source, each with its share: `mix:0.7*[coco:A]+0.3*[yolo:b/data.yaml]`.

Brackets separate the terms, because paths may have `+`, `*` and commas, and a COCO source may be written with a `+`.
"""

import re
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.data.formats import MIX_FORMS
from pix2seq_keras.data.sources.joining import join
from pix2seq_keras.data.sources.split_parts import rename_parts
from pix2seq_keras.errors import InputError

_BY_NAME = "mix-by-name"
_WEIGHT = r"\d+(?:\.\d*)?|\.\d+"
_TERM = re.compile(
    rf"(?:(?P<weight>{_WEIGHT})\*)?\[(?P<source>.+?)\](?:\{{(?P<splits>[^{{}}]*)\}})?(?:$|\+(?=[\d.\[]))", re.DOTALL
)
_MAX_EXAMPLES = 100_000_000


@dataclass(frozen=True)
class MixTerm:
    """One data set of a mixture.

    Args:
        source: str, as `open_source` takes it.
        weight: float or None, its share, relative to those of the others; None if the mixture has no weights.
        splits: dict of str, a split's name in the mixture to its name in the data set, where they differ.
    """

    source: str
    weight: float | None
    splits: dict[str, str]


def mix_terms(source):
    """Parses a mixture.

    Args:
        source: str, `mix:[SOURCE]+[SOURCE]+…` or, with a weight for each, `mix:WEIGHT*[SOURCE]+WEIGHT*[SOURCE]+…`;
            or either with `mix-by-name:`. `{train=train2017,val=val2017}` after a bracket gives this data set's own
            names of the splits.

    Returns:
        List of `MixTerm`, or None if the source is not a mixture.

    Raises:
        InputError: if it begins as a mixture and has another form.

    Example:
        >>> [term.source for term in mix_terms("mix:0.7*[coco:a.json+images]+0.3*[voc:B]{train=trainval}")]
        ['coco:a.json+images', 'voc:B']
    """
    name, _, text = str(source).partition(":")
    if name not in ("mix", _BY_NAME):
        return None
    terms, position = [], 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise _unknown_form(source)
        position = match.end()
        weight = None if match["weight"] is None else float(match["weight"])
        splits = {}
        for pair in filter(None, (match["splits"] or "").split(",")):
            own, equals, theirs = (word.strip() for word in pair.partition("="))
            if not (own and equals and theirs):
                raise _unknown_form(source)
            splits[own] = theirs
        terms.append(MixTerm(match["source"], weight, splits))
    if not terms or text.endswith("+"):
        raise _unknown_form(source)
    weights = [term.weight for term in terms]
    if weights.count(None) not in (0, len(weights)):
        raise InputError(f"All data sets of a mixture must have a weight, or none of them. Received: {str(source)!r}")
    if any(weight is not None and not 1e-9 <= weight <= 1e9 for weight in weights):
        raise InputError(f"The weights of a mixture must be in [1e-9, 1e9]. Received: {weights}")
    return terms


def open_mix(name, terms, split, open_source):
    """Opens a mixture.

    Without weights every image comes once, data set after data set. With weights the data sets are interleaved so that
    every section of the order has their shares, counted in images with objects, which are those used in training. No
    image is left out: those of data sets smaller than their share come several times. So evaluate on a mixture without
    weights. A part such as `train[:80%]` is taken of each data set before they are mixed.

    Args:
        name: str, the mixture as the user wrote it. With `mix-by-name` classes are matched by name.
        terms: list of `MixTerm`, of the mixture.
        split: str, of all data sets.
        open_source: function (source, split) that opens a data set.

    Returns:
        `Source`; see `join` for its image ids.

    Raises:
        InputError: if a data set cannot be opened, or their classes differ and are not matched by name.
    """
    sources = [open_source(term.source, _own_split(split, term.splits)) for term in terms]
    by_name = name.startswith(_BY_NAME)
    order = None
    if terms[0].weight is not None:
        order = _interleave(sources, np.asarray([term.weight for term in terms]), name)
    return join(sources, name, split, order, by_name)


def _interleave(sources, weights, name):
    """The number of the source and of the image at each place: int64 array (M, 2)."""
    annotated = [np.flatnonzero(source.annotated) for source in sources]
    counts = np.asarray([len(indices) for indices in annotated], np.float64)
    for source, count in zip(sources, counts, strict=True):
        if not count:
            raise InputError(
                "Every data set of a mixture with weights must have images with objects. "
                f"Received: {source.name} ({source.split}) without any, in {name}."
            )
    # The data set that is largest for its share comes once, the others as often as their shares require.
    totals = np.round(weights * (counts / weights).max())
    if totals.sum() > _MAX_EXAMPLES:
        raise InputError(
            f"An epoch of a mixture must have at most {_MAX_EXAMPLES:,} examples. Received: {name} with "
            f"{totals.sum():,.0f}, since every image comes at least once and the smallest weight belongs to "
            f"{int(counts[weights.argmin()])} images."
        )
    places, keys = [], []
    for number, (source, indices, total) in enumerate(zip(sources, annotated, totals.astype(np.int64), strict=True)):
        repeated = indices[np.arange(total) % len(indices)]
        without_objects = np.flatnonzero(~source.annotated)  # not used in training, but part of the data set
        for chosen in (repeated, without_objects):
            places.append(np.stack([np.full(len(chosen), number), chosen], axis=-1))  # (m, 2)
            keys.append((np.arange(len(chosen)) + 0.5) / max(len(chosen), 1))  # place in the whole, from 0 to 1
    return np.concatenate(places)[np.argsort(np.concatenate(keys), kind="stable")]


def _own_split(split, splits):
    return rename_parts(split, lambda name: splits.get(name, name))


def _unknown_form(source):
    return InputError(
        f"A mixture must be {MIX_FORMS[0]}, with shares {MIX_FORMS[1]}, or by names of classes {MIX_FORMS[2]}; "
        f"{{train=train2017}} after a bracket gives the data set's own names of splits. Received: {str(source)!r}"
    )
