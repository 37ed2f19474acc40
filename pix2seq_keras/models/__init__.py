"""Pix2Seq itself, and its presets."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.models.pix2seq": ["Pix2Seq"],
    },
)
