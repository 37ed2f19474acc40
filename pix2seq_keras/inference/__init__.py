"""Opening models and predicting on pictures."""

from pix2seq_keras.inference.opening import open_model

__all__ = ["open_model"]
