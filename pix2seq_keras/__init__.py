"""Pix2Seq in Keras 3 and TensorFlow: object detection as language modelling."""

from pix2seq_keras.quiet import import_tensorflow

import_tensorflow()

from pix2seq_keras import data
from pix2seq_keras.categories import Categories
from pix2seq_keras.decoding import samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models import Pix2Seq
from pix2seq_keras.vocabulary import Vocabulary

__version__ = "0.1.0"
__all__ = ["Categories", "InputError", "Pix2Seq", "Vocabulary", "data", "samplers"]
