"""A small model server with the interfaces of TensorFlow Serving, for tests, notebooks and trying out."""

from pix2seq_keras.serving.limits import Limits
from pix2seq_keras.serving.server import ModelServer

__all__ = ["Limits", "ModelServer"]
