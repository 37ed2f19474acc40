"""The splits of a source that has none of its own: all, and a fixed `train` and `val`."""

import hashlib

from pix2seq_keras.data.sources.split_choice import require_split
from pix2seq_keras.data.sources.split_parts import percent_of
from pix2seq_keras.errors import InputError

WHOLE = "all"
HASHED_SPLITS = ("train", "val")
_TRAIN_PERCENT = 80


def split_by_hash(source, split, names):
    """Takes a split of a source that has none of its own.

    "all" is the whole source. "train" is 80 % of it and "val" the rest, so that a data set without splits can be
    trained on. A hash of their file names decides which images belong to which. So the splits are the same on every
    machine and in every folder, and do not follow the order of the file, which is often sorted by scene or class.

    Args:
        source: `Source`, the whole.
        split: str, "all", "train" or "val".
        names: list of N str, the file names of the images within the data set.

    Returns:
        `Source` in the order of `source`.

    Raises:
        InputError: if there is no such split, or it would have no images.
    """
    split = require_split(split, (WHOLE, *HASHED_SPLITS), f"{source.name}, which has no splits of its own")
    if split == WHOLE:
        return source
    hashes = [hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() for name in names]
    shuffled = sorted(range(len(names)), key=lambda index: (hashes[index], index))
    count = min(max(percent_of(_TRAIN_PERCENT, len(names)), 1), max(len(names) - 1, 1))  # both have an image
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
