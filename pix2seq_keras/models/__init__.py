"""Pix2Seq: training step, generation, detection, streaming, saving, adapting."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.models.pix2seq": ["Pix2Seq"],
    },
)
