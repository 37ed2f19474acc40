"""The splits of a YOLO source."""

from pix2seq_keras.data.sources.yolo.config import read_yolo_config
from pix2seq_keras.data.sources.yolo.read import config_paths


def list_splits(location):
    """Lists the splits.

    Args:
        location: str, "data.yaml" or "data.yaml+DIR".

    Returns:
        Collection of str; it may be empty.

    Raises:
        InputError: if the file cannot be used.
    """
    return list(read_yolo_config(*config_paths(location)).splits)
