"""Losses of tokens, for `Pix2Seq.compile`."""

import keras
import numpy as np
from keras import ops

from pix2seq_keras.errors import InputError
from pix2seq_keras.vocabulary import Vocabulary


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class SoftCoordinateCrossentropy(keras.losses.Loss):
    """Cross-entropy with coordinates as soft targets: the bins beside the right one are nearly right.

    The target of a coordinate token is a normal distribution over the bins, cut off at the canvas; of any other
    token, the token. To the plain objective the bin beside the right one is as wrong as the other side of the picture,
    and each bin must be learnt from examples of its own: with few pictures and many bins there are none.

    Args:
        vocabulary: `Vocabulary` of the model.
        sigma: float > 0, σ of the normal distribution as a share of the canvas's side: of 192 bins, 0.005 is one.

    Call arguments:
        targets: int tensor (B, L).
        logits: float32 tensor (B, L, V).

    Returns:
        float32 tensor (B, L) from `call`: the cross-entropy of every token. The model weighs them.

    Example:
        >>> model.compile(keras.optimizers.AdamW(1e-3), loss=SoftCoordinateCrossentropy(model.vocabulary, 0.005))
    """

    def __init__(self, vocabulary, sigma, name="soft_coordinate_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 < sigma < float("inf"):
            raise InputError(f"sigma must be positive: the share of the canvas's side. Received: sigma={sigma}")
        self.vocabulary = vocabulary
        self.sigma = sigma
        places = np.arange(vocabulary.num_bins) / max(vocabulary.num_bins - 1, 1)
        weights = np.exp(-0.5 * ((places[:, None] - places) / sigma) ** 2)
        self.distributions = (weights / weights.sum(1, keepdims=True)).astype("float32")  # (bins, bins)

    def call(self, targets, logits):
        first, bins = self.vocabulary.coord_shift, self.vocabulary.num_bins
        hard = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)  # (B, L)
        bin_ = ops.clip(targets - first, 0, bins - 1)
        distribution = ops.take(ops.convert_to_tensor(self.distributions), bin_, axis=0)  # (B, L, bins)
        expected = ops.sum(distribution * logits[..., first : first + bins], -1)  # (B, L)
        soft = ops.logsumexp(logits, -1) - expected
        return ops.where((targets >= first) & (targets < first + bins), soft, hard)

    def get_config(self):
        vocabulary = keras.saving.serialize_keras_object(self.vocabulary)
        return {**super().get_config(), "vocabulary": vocabulary, "sigma": self.sigma}

    @classmethod
    def from_config(cls, config):
        vocabulary = config["vocabulary"]
        if not isinstance(vocabulary, Vocabulary):
            vocabulary = keras.saving.deserialize_keras_object(vocabulary)
        return cls(**{**config, "vocabulary": vocabulary})
