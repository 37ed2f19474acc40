"""Opening models and predicting on pictures."""

from pix2seq_keras.inference.opening import open_model
from pix2seq_keras.inference.runs import options_for_run

__all__ = ["open_model", "options_for_run"]
