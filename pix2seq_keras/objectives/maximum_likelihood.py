"""Maximum likelihood of the target tokens, with a weight for each token."""

import keras
from keras import ops

from pix2seq_keras.objectives.value import ObjectiveValue


class MaximumLikelihood:
    """Σ w·cross-entropy / Σ w over all tokens of the global batch, with the full softmax (Pix2Seq, equation 1).

    Its metric `accuracy` is the share of correct arg-max tokens among the targets of weight > 0.

    Call arguments:
        model: `Pix2Seq`.
        batch: tuple of x, a dict of `"images"` float (B, H, W, 3) and `"tokens"` int (B, L); targets, int (B, L); and
            token weights, float (B, L), or None for 1 everywhere.
        training: bool.

    Returns:
        `ObjectiveValue`.

    Example:
        >>> model.compile("adamw", objective="maximum_likelihood")
    """

    metric_names = ("accuracy",)

    def __call__(self, model, batch, training):
        x, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
        logits = model(x, training=training)  # (B, L, V)
        token_weights = ops.ones(ops.shape(targets)) if weights is None else ops.cast(weights, "float32")
        entropy = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)  # (B, L)
        correct = ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(targets, "int32")), "float32")
        counted = None if weights is None else ops.cast(weights > 0, "float32")
        return ObjectiveValue(
            ops.sum(entropy * token_weights), ops.sum(token_weights), {"accuracy": (correct, counted)}
        )

    def get_config(self):
        return {}
