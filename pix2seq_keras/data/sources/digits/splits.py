"""The splits of the digit scenes."""

from pix2seq_keras.data.sources.digits.scenes import SIZES


def list_splits(size):
    """Lists the splits.

    Args:
        size: str, "96" or "64".

    Returns:
        Collection of str, at least one name.
    """
    return tuple(SIZES[size].num_scenes) if size in SIZES else ("train",)  # opening "train" then reports the size
