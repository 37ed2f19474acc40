"""The splits of a source, for users who name none."""

from pix2seq_keras.data.formats import find_format
from pix2seq_keras.data.mixing import mix_terms
from pix2seq_keras.data.sources.split_choice import find_split
from pix2seq_keras.errors import InputError

_USUAL = ("train", "val", "test")


def list_splits(source):
    """Lists the splits of a source, those for training first.

    A split that includes others, such as VOC's `trainval` beside `train` and `val`, is left out.

    Args:
        source: str, as `open_source` takes it.

    Returns:
        List of str, at least one name. A split may still fail to open.

    Raises:
        InputError: if the source has none, or its form is unknown.

    Example:
        >>> list_splits("coco:data/bccd")
        ['train', 'val', 'test']
    """
    mixture = mix_terms(source)
    if mixture is not None:
        names = _common_splits(mixture)
    else:
        data_format, location = find_format(source)
        try:
            names = set(data_format.function("splits")(location))
        except OSError as error:
            raise InputError(f"{error.filename or location} cannot be read: {error.strerror or error}.") from error
    if not names:
        raise InputError(f"`--split` is required, because {source} does not list its splits.")
    if {"train", "val"} <= names:
        names.discard("trainval")
    return sorted(names, key=_rank)


def annotation_file(source, split):
    """Finds the file whose records the issues of a split number.

    Args:
        source: str, as `open_source` takes it.
        split: str, a split, or a part of one such as `train[:80%]`.

    Returns:
        str, the path as the user wrote it, or None if the issues name files.
    """
    if mix_terms(source) is not None:
        return None
    data_format, location = find_format(source)
    find_file = data_format.function("annotation_file")
    return None if find_file is None else find_file(location, split)


def _rank(name):
    """train, train2017, train_extra, …, then val…, then test…, then the others by name."""
    return next((place for place, usual in enumerate(_USUAL) if name.startswith(usual)), len(_USUAL)), name


def _common_splits(terms):
    """The splits that all data sets of a mixture have, by the mixture's names for them."""
    names = []
    for term in terms:
        own = set(list_splits(term.source))
        named = {name for name in own if name not in term.splits.values()}
        named |= {name for name, theirs in term.splits.items() if theirs in own}
        names.append(named)
    return {name for name in names[0] if all(find_split(name, named) for named in names)}
