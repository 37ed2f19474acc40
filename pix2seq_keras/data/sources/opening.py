"""From what a user writes after `--data` to a source."""

import re

from pix2seq_keras.errors import InputError

FORMS = '"coco:DIR", "digits", "digits:64" or "tfds:NAME[/CONFIG]"'


def open_source(source, split):
    """Opens a source of pictures with objects.

    Args:
        source: `"coco:DIR"`, a folder with `annotations/instances_SPLIT.json` beside `SPLIT/`; `"digits"`, scenes of
            handwritten digits at 96×96, or `"digits:64"`, simpler ones at 64×64; `"tfds:NAME[/CONFIG]"`, a prepared
            `tensorflow_datasets` data set with an `objects` feature.
        split: str, such as `"train"`, `"val"` or `"test"`.

    Returns:
        A `Source`.

    Raises:
        InputError: if the form is unknown, or the source cannot be opened.

    Example:
        >>> source = open_source("coco:my_pictures", "train")
        >>> len(source), source.categories.names, source.findings.summary()
    """
    kind, _, rest = str(source).partition(":")
    if kind == "coco" and rest:
        from pix2seq_keras.data.sources.coco import open_coco

        return open_coco(rest, split)
    # TFDS takes seconds to import: only who reads from it waits for it.
    if kind == "digits" and re.fullmatch(r"\w*", rest):
        from pix2seq_keras.data.sources.tfds_source import open_digits

        return open_digits(rest or "96", split)
    if kind == "tfds" and rest:
        from pix2seq_keras.data.sources.tfds_source import open_tfds

        return open_tfds(rest, split)
    raise InputError(f"Unknown data source: {source!r}. Use {FORMS}.")
