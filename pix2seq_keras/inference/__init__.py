"""Opening models and predicting on images."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.inference.detector": ["detect_each"],
        "pix2seq_keras.inference.exported": ["ExportedDetector", "RefusedCallError", "RefusedImagesError"],
        "pix2seq_keras.inference.open_model": ["open_model"],
        "pix2seq_keras.inference.remote.retry": ["RetryPolicy"],
    },
)
