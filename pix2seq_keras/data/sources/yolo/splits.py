"""The splits of a YOLO source."""

from pix2seq_keras.data.sources.split_by_hash import HASHED_SPLITS
from pix2seq_keras.data.sources.yolo.open_config import open_config
from pix2seq_keras.data.sources.yolo.read import config_paths


def list_splits(location):
    """Lists the splits.

    Args:
        location: str, "data.yaml", "data.yaml+DIR" or "DIR".

    Returns:
        Collection of str; it may be empty.

    Raises:
        InputError: if the file cannot be used.
    """
    config = open_config(*config_paths(location))
    return HASHED_SPLITS if config.whole else list(config.splits)
