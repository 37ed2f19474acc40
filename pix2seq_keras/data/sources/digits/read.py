"""Opens the digit scenes, which are drawn on first use."""

import re

from pix2seq_keras.data.sources.digits.builder import DigitScenes
from pix2seq_keras.data.sources.digits.scenes import SIZES
from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.data.sources.split_choice import require_split
from pix2seq_keras.data.sources.tfds.builder_source import data_dir, source_from_builder
from pix2seq_keras.errors import InputError


def open_digits(size="96", split="train"):
    """Opens the digit scenes. If the split has not been drawn yet, it is drawn now; other splits are not.

    Args:
        size: str, "96" or "64", see `scenes.SIZES`. Defaults to "96".
        split: str, "train", "val" or "test", or a part of one in TFDS's notation, such as "train[:80%]". Defaults to
            "train".

    Returns:
        `Source` of ten classes, "0"…"9", with data set ids 1…10. Its example `index` is scene `index`.

    Raises:
        InputError: if there is no such size or split, or the data folder cannot be written.
    """
    if size not in SIZES:
        raise InputError(f"The size of digit scenes must be one of {quote_all(SIZES)}. Received: size={size!r}")
    splits = SIZES[size].num_scenes
    match = re.fullmatch(r"(\w+)(\[.*\])?", split)
    own_name = require_split(match[1] if match else split, splits, "digits")
    builder = DigitScenes(config=f"{size}_{own_name}", data_dir=data_dir())
    builder.download_and_prepare()
    return source_from_builder(builder, "digits" if size == "96" else f"digits:{size}", split)
