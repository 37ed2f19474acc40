"""The splits of TFDS data sets."""

from pathlib import Path

from tensorflow_datasets.core import read_only_builder

from pix2seq_keras.data.sources.tfds.builder_source import data_dir


def list_splits(location):
    """Lists the splits of a prepared data set.

    Args:
        location: str, "NAME[/CONFIG]" or "NAME[/CONFIG]?MAPPING".

    Returns:
        Collection of str, at least one name.
    """
    name = location.partition("?")[0]
    return _splits(lambda: read_only_builder.builder_from_files(name, data_dir=data_dir()))


def list_tfrecord_splits(location):
    """Lists the splits of a folder of TFRecord files.

    Args:
        location: str, the folder.

    Returns:
        Collection of str, at least one name.
    """
    return _splits(lambda: read_only_builder.builder_from_directory(Path(location).expanduser()))


def _splits(make_builder):
    try:
        return list(make_builder().info.splits)
    except Exception:  # TFDS raises many kinds of errors for missing data; opening "train" then reports the reason
        return ("train",)
