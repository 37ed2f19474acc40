"""Out of the training world: SavedModel and TFLite files, and the images that are read inside of them."""

from pix2seq_keras.exporting.image_decoding.decode import DEFAULT_MAX_PIXELS, decode_image
from pix2seq_keras.exporting.image_decoding.headers import refuse_unless
from pix2seq_keras.exporting.saved_model.write import (
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
    "decode_image",
    "refuse_unless",
    "require_replaceable",
    "version_folder",
    "versions",
    "write_saved_model",
]
