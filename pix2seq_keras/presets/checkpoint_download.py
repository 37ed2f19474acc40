"""Published checkpoints, downloaded from their public bucket."""

import os
import re
from pathlib import Path

from pix2seq_keras.errors import InputError
from pix2seq_keras.presets.download import download

BUCKET = "gs://pix2seq"
BUCKET_URL = "https://storage.googleapis.com/pix2seq"
URL_VARIABLE = "PIX2SEQ_PUBLISHED_URL"
STATE = "checkpoint"  # the file that names the newest checkpoint of a folder
ENDINGS = (".index", ".data-00000-of-00001")


def download_checkpoint(source, folder, base_url=None, console=None):
    """Downloads the three files of a published checkpoint.

    These are `checkpoint`, which names the others, `NAME.index` and `NAME.data-00000-of-00001`. Each file is resumed
    after a break and checked by its size, see `download.download`. A complete file is not requested again.

    Args:
        source: str, the checkpoint's path in the bucket, such as `"gs://pix2seq/coco_det_finetune/vit_b_640x640"`.
        folder: path, made if it is missing.
        base_url: str or `None`, the http(s) address of a copy of the bucket. `None` is the environment variable
            PIX2SEQ_PUBLISHED_URL, or else the public address of the bucket itself.
        console: `rich.console.Console` for the progress, or `None` for standard error.

    Returns:
        `pathlib.Path` of the checkpoint without its endings.

    Raises:
        InputError: if a file is missing, has another size than announced, or the server cannot be reached.

    Example:
        >>> download_checkpoint("gs://pix2seq/coco_det_finetune/vit_b_640x640", "vit_b_640x640")
        PosixPath('vit_b_640x640/ckpt-112725')
    """
    base_url = base_url or os.environ.get(URL_VARIABLE) or BUCKET_URL
    address = base_url.rstrip("/") + source.removeprefix(BUCKET)
    state = download(f"{address}/{STATE}", folder, console, STATE)
    name = _checkpoint_name(state.read_bytes())
    if name is None:
        state.unlink()
        raise InputError(f"{address}/{STATE} names no checkpoint: the server sent something else, such as a web page.")
    for ending in ENDINGS:
        download(f"{address}/{name}{ending}", folder, console, f"{name}{ending}")
    return Path(folder).expanduser() / name


def _checkpoint_name(state):
    """The name in a state file's bytes, without the folder in which it was written; `None` if there is none."""
    match = re.search(rb'^model_checkpoint_path: "(?:[^"\n]*/)?([\w.-]+)"', state, re.MULTILINE)
    return match and match[1].decode()
