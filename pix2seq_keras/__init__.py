"""Pix2Seq in Keras 3 and TensorFlow: object detection as language modelling.

Importing the package takes no time: TensorFlow and Keras are imported when one of these names is first used.
"""

from typing import TYPE_CHECKING

from pix2seq_keras.keras_registry import register_classes
from pix2seq_keras.lazy_exports import lazy_exports
from pix2seq_keras.quiet import silence_tensorflow

if TYPE_CHECKING:  # the same names for editors, which do not run `lazy_exports`
    from pix2seq_keras import data as data
    from pix2seq_keras.categories import Categories as Categories
    from pix2seq_keras.data.augmentation_options import Augmentation as Augmentation
    from pix2seq_keras.data.open_source import open_source as open_source
    from pix2seq_keras.decoding import samplers as samplers
    from pix2seq_keras.decoding.options import DecodingOptions as DecodingOptions
    from pix2seq_keras.errors import InputError as InputError
    from pix2seq_keras.evaluation.evaluate import evaluate as evaluate
    from pix2seq_keras.inference.open_model import open_model as open_model
    from pix2seq_keras.models.pix2seq import Pix2Seq as Pix2Seq
    from pix2seq_keras.presets.lookup import list_presets as list_presets
    from pix2seq_keras.sequences.options import SequenceOptions as SequenceOptions
    from pix2seq_keras.vocabulary import Vocabulary as Vocabulary

__version__ = "0.2.0"
__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.categories": ["Categories"],
        "pix2seq_keras.data": [],
        "pix2seq_keras.data.augmentation_options": ["Augmentation"],
        "pix2seq_keras.data.open_source": ["open_source"],
        "pix2seq_keras.decoding.options": ["DecodingOptions"],
        "pix2seq_keras.decoding.samplers": [],
        "pix2seq_keras.errors": ["InputError"],
        "pix2seq_keras.evaluation.evaluate": ["evaluate"],
        "pix2seq_keras.inference.open_model": ["open_model"],
        "pix2seq_keras.models.pix2seq": ["Pix2Seq"],
        "pix2seq_keras.presets.lookup": ["list_presets"],
        "pix2seq_keras.sequences.options": ["SequenceOptions"],
        "pix2seq_keras.vocabulary": ["Vocabulary"],
    },
)

silence_tensorflow()
register_classes()
