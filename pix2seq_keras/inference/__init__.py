"""Opening models and predicting on pictures."""

from pix2seq_keras.inference.exported import ExportedDetector, RefusedCallError, RefusedPicturesError
from pix2seq_keras.inference.opening import open_model
from pix2seq_keras.inference.patience import Patience
from pix2seq_keras.inference.runs import options_for_run

__all__ = ["ExportedDetector", "Patience", "RefusedCallError", "RefusedPicturesError", "open_model", "options_for_run"]
