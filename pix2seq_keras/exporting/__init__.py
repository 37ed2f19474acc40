"""Out of the training world: SavedModel and TFLite files, and the pictures that are read inside of them."""

from pix2seq_keras.exporting.encoded_pictures import DEFAULT_MAX_PIXELS, decode_picture
from pix2seq_keras.exporting.headers import refuse_unless
from pix2seq_keras.exporting.saved_model import (
    DESCRIPTION,
    Signature,
    require_replaceable,
    version_folder,
    versions,
    write_saved_model,
)

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "DESCRIPTION",
    "Signature",
    "decode_picture",
    "refuse_unless",
    "require_replaceable",
    "version_folder",
    "versions",
    "write_saved_model",
]
