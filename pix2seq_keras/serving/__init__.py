"""A small model server with the gRPC and REST interfaces of TensorFlow Serving, for tests and development."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.serving.limits": ["Limits"],
        "pix2seq_keras.serving.server": ["ModelServer"],
    },
)
