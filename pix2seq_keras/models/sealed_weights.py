"""Weights files that carry a SHA-256."""

from pathlib import Path

from pix2seq_keras.errors import InputError
from pix2seq_keras.presets.weights_digest import check_seal, seal

_ENDING = ".weights.h5"


class SealedWeights:
    """`save_weights` and `load_weights`, mixed into `keras.Model`: a damaged `.weights.h5` file does not load."""

    def save_weights(self, filepath, *args, **kwargs):
        """As `keras.Model.save_weights`; a `.weights.h5` file gets the SHA-256 of its arrays.

        Args:
            filepath: path ending in `.weights.h5`.
            *args: of `keras.Model.save_weights`.
            **kwargs: of `keras.Model.save_weights`.
        """
        super().save_weights(filepath, *args, **kwargs)
        if str(filepath).endswith(_ENDING) and Path(filepath).is_file():
            seal(filepath)

    def load_weights(self, filepath, *args, **kwargs):
        """As `keras.Model.load_weights`, after a check of the SHA-256 in a `.weights.h5` file that has one.

        Args:
            filepath: path of the file.
            *args: of `keras.Model.load_weights`.
            **kwargs: of `keras.Model.load_weights`.

        Raises:
            InputError: if the file is damaged.
        """
        if str(filepath).endswith(_ENDING) and Path(filepath).is_file():
            try:
                check_seal(filepath)
            except (OSError, ValueError, RuntimeError, KeyError) as error:  # what h5py raises for damaged files
                raise InputError(f"The weights file {filepath} is damaged: {error}. Copy it again.") from error
        super().load_weights(filepath, *args, **kwargs)
