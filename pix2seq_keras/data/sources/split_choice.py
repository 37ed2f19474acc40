"""The check of a split's name, its usual synonyms, and the one message about a split that a source does not have."""

from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.errors import InputError

_VALIDATION = ("val", "valid", "validation")  # COCO's and ours, Roboflow's and darknet's, TFDS's


def find_split(split, splits):
    """Finds the source's own name of a split: `val`, `valid` and `validation` mean the same.

    Args:
        split: str, the split's name as the user wrote it.
        splits: collection of str, the names that the source has.

    Returns:
        str, or None if the source has no such split, or several of these names and none as written.

    Example:
        >>> find_split("val", ["train", "valid"])
        'valid'
    """
    if split in splits:
        return split
    same = [name for name in _VALIDATION if name in splits] if split in _VALIDATION else []
    return same[0] if len(same) == 1 else None


def require_split(split, splits, where):
    """Checks that a source has a split.

    Args:
        split: str, the split's name as the user wrote it.
        splits: iterable of str, the names that the source has, in the order to list them.
        where: str, the source, as the message shows it.

    Returns:
        str, the source's own name of the split, see `find_split`.

    Raises:
        InputError: if the source has no such split.

    Example:
        >>> require_split("val", ["train", "valid"], "coco:data/bccd")
        'valid'
    """
    splits = list(splits)
    own_name = find_split(split, splits)
    if own_name is not None:
        return own_name
    if not splits:
        raise InputError(f"`split` must be a split of {where}, which has none. Received: split={split!r}")
    raise InputError(
        f"`split` must be one of {quote_all(splits)}, or a part of one such as '{splits[0]}[:80%]'. "
        f"Received: split={split!r} of {where}"
    )
