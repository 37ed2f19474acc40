"""The check of a split's name, and the one message about a split that a source does not have."""

from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.errors import InputError


def require_split(split, splits, where):
    """Checks that a source has a split.

    Args:
        split: str, the split's name as the user wrote it.
        splits: iterable of str, the names that the source has, in the order to list them.
        where: str, the source, as the message shows it.

    Raises:
        InputError: if the source has no such split.

    Example:
        >>> require_split("val", ["train", "val"], "coco:data/bccd")
    """
    splits = list(splits)
    if split in splits:
        return
    if not splits:
        raise InputError(f"`split` must be a split of {where}, which has none. Received: split={split!r}")
    raise InputError(
        f"`split` must be one of {quote_all(splits)}, or a part of one such as '{splits[0]}[:80%]'. "
        f"Received: split={split!r} of {where}"
    )
