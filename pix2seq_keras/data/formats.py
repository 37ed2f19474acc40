"""The table of data formats: how a user names a source, and which functions open, list and write it.

To add a format, add a folder to `data/sources/` and a row to `FORMATS`. `open_source`, `list_splits`, `convert_source`,
`pix2seq data check` and `convert` with their help and errors, and the table in docs/data.md all come from it. The table
holds strings only and imports neither TensorFlow nor NumPy, so that `--help` stays fast.
"""

import dataclasses
import importlib

from pix2seq_keras.errors import InputError

# Several sources at once, see `mixing`. A mixture is not a format: it is made of sources in any of them.
MIX_FORMS = ("mix:[SOURCE]+[SOURCE]", "mix:0.7*[SOURCE]+0.3*[SOURCE]", "mix-by-name:[SOURCE]+[SOURCE]")


@dataclasses.dataclass(frozen=True)
class DataFormat:
    """A format of data sets. A source is written as `NAME:LOCATION`.

    Args:
        name: str, what comes before the colon.
        forms: tuple of str, the ways to write a source, such as "coco:DIR".
        description: str, one line on what it is.
        read: str, the "package.module.function" that opens a split: (location, split) -> `Source`.
        splits: str, the function that lists the splits: location -> names. It may list none, and it may raise
            `InputError` or `OSError`.
        write: str or None, the function that writes splits: (folder, dict of name to `Source`, `ConversionCounts`).
            Defaults to None: it cannot be written.
        read_back: str, how to write the source of a conversion; {folder} is its folder. Defaults to "".
        losses: str, what a conversion to it loses. Defaults to "".
        annotation_file: str or None, the function that returns the file whose records the issues of a split number:
            (location, split) -> path or None. Defaults to None: the issues name files.
        default_location: str or None, the location where none is written. Defaults to None: it must be written.
        own_split_syntax: bool, whether `read` takes splits that `parse_split` does not know. Defaults to False.
    """

    name: str
    forms: tuple[str, ...]
    description: str
    read: str
    splits: str
    write: str | None = None
    read_back: str = ""
    losses: str = ""
    annotation_file: str | None = None
    default_location: str | None = None
    own_split_syntax: bool = False

    def function(self, role):
        """Imports one of the format's functions; some take seconds to import.

        Args:
            role: str, "read", "splits", "write" or "annotation_file".

        Returns:
            The function, or None if the format has none.
        """
        path = getattr(self, role)
        if path is None:
            return None
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


_SOURCES = "pix2seq_keras.data.sources"
FORMATS = {
    row.name: row
    for row in (
        DataFormat(
            name="coco",
            forms=("coco:DIR", "coco:FILE.json+DIR", "coco:DIR?iscrowd=keep"),
            description="COCO: JSON files beside folders of images",
            read=f"{_SOURCES}.coco.read.open_location",
            splits=f"{_SOURCES}.coco.splits.list_splits",
            write=f"{_SOURCES}.coco.write.write_coco",
            read_back="coco:{folder}",
            losses="nothing",
            annotation_file=f"{_SOURCES}.coco.splits.annotation_file",
        ),
        DataFormat(
            name="voc",
            forms=("voc:DIR", "voc:DIR?difficult=keep"),
            description="Pascal VOC: XML files",
            read=f"{_SOURCES}.voc.read.open_location",
            splits=f"{_SOURCES}.voc.splits.list_splits",
            write=f"{_SOURCES}.voc.write.write_voc",
            read_back="voc:{folder}",
            losses="fractions of pixels, image ids, object areas",
        ),
        DataFormat(
            name="yolo",
            forms=("yolo:data.yaml", "yolo:data.yaml+DIR", "yolo:DIR"),
            description="YOLO: a text file per image",
            read=f"{_SOURCES}.yolo.read.open_location",
            splits=f"{_SOURCES}.yolo.splits.list_splits",
            write=f"{_SOURCES}.yolo.write.write_yolo",
            read_back="yolo:{folder}/data.yaml",
            losses="crowds, image ids, object areas",
        ),
        DataFormat(
            name="tfds",
            forms=("tfds:NAME[/CONFIG]",),
            description="a prepared `tensorflow_datasets` data set",
            read=f"{_SOURCES}.tfds.read.open_location",
            splits=f"{_SOURCES}.tfds.splits.list_splits",
            own_split_syntax=True,
        ),
        DataFormat(
            name="tfrecord",
            forms=("tfrecord:DIR",),
            description="TFRecord files that describe themselves",
            read=f"{_SOURCES}.tfds.read.open_tfrecord",
            splits=f"{_SOURCES}.tfds.splits.list_tfrecord_splits",
            write=f"{_SOURCES}.tfds.write.write_tfrecord",
            read_back="tfrecord:{folder}",
            losses="nothing",
            own_split_syntax=True,
        ),
        DataFormat(
            name="digits",
            forms=("digits", "digits:64"),
            description="scenes of handwritten digits, drawn on first use",
            read=f"{_SOURCES}.digits.read.open_digits",
            splits=f"{_SOURCES}.digits.splits.list_splits",
            default_location="96",
            own_split_syntax=True,
        ),
    )
}


def find_format(source):
    """Finds the format of a source.

    Args:
        source: str, "NAME:LOCATION", not a mixture.

    Returns:
        `(DataFormat, location)`.

    Raises:
        InputError: if there is no such format, or the location is missing.

    Example:
        >>> find_format("coco:data/bccd")[1]
        'data/bccd'
    """
    name, _, location = str(source).partition(":")
    data_format = FORMATS.get(name)
    location = location or getattr(data_format, "default_location", None)
    if data_format is None or not location:
        raise InputError(f"A data source must be one of {source_forms()}. Received: {source!r}")
    return data_format, location


def source_forms():
    """All ways to write a source, for help and errors.

    Returns:
        str, the forms with commas between them.
    """
    return ", ".join([*(form for row in FORMATS.values() for form in row.forms), *MIX_FORMS])


def writable_formats():
    """The formats that data can be converted to.

    Returns:
        Tuple of str, their names.
    """
    return tuple(name for name, row in FORMATS.items() if row.write is not None)


def find_writable_format(name):
    """Finds a format that data can be converted to.

    Args:
        name: str, its name.

    Returns:
        `DataFormat`.

    Raises:
        InputError: if there is no such format, or it cannot be written.
    """
    if name not in writable_formats():
        raise InputError(f"`to` must be one of {', '.join(writable_formats())}. Received: to={name!r}")
    return FORMATS[name]


def markdown_table():
    """The table of formats in docs/data.md.

    Returns:
        str, lines of Markdown.
    """
    lines = ["| source | what it is | lost in a conversion to it |", "|---|---|---|"]
    for row in FORMATS.values():
        forms = ", ".join(f"`{form}`" for form in row.forms)
        lines.append(f"| {forms} | {row.description} | {row.losses or 'cannot be written'} |")
    return "\n".join(lines)
