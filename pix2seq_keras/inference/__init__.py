"""Opening models and predicting on images."""

from pix2seq_keras.inference.exported import ExportedDetector, RefusedCallError, RefusedImagesError
from pix2seq_keras.inference.open_model import open_model
from pix2seq_keras.inference.remote.retry import RetryPolicy
from pix2seq_keras.inference.runs import options_for_run

__all__ = ["ExportedDetector", "RefusedCallError", "RefusedImagesError", "RetryPolicy", "open_model", "options_for_run"]
