"""How a Pix2Seq learns under `model.fit`: the maximum-likelihood objective with token weights."""

import keras
import tensorflow as tf
from keras import ops

from pix2seq_keras.errors import InputError


class WeightedTokenTraining:
    """`train_step` and `test_step` of a model that maps tokens to logits, mixed into `keras.Model`.

    The objective is Σ w·cross-entropy / Σ w over all tokens of the (global) batch, with the full softmax (Pix2Seq,
    equation 1). `compile` needs an optimizer and takes no loss. Metrics: `loss`, and `accuracy` over the target
    tokens of weight > 0.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_metric = keras.metrics.Mean(name="loss")
        self.accuracy_metric = keras.metrics.Mean(name="accuracy")

    @property
    def metrics(self):
        others = [metric for metric in super().metrics if metric.name not in ("loss", "accuracy")]
        return [self.loss_metric, self.accuracy_metric, *others]

    def weighted_loss(self, targets, logits, token_weights):
        """Σ w·cross-entropy / Σ w.

        Args:
            targets: int tensor (B, L).
            logits: float32 tensor (B, L, V).
            token_weights: float tensor (B, L), or `None` for 1 everywhere.

        Returns:
            The loss and Σ w, float32 scalars. Under tf.distribute Σ w is of the global batch, so that the replicas'
            losses add up to the loss of one device.

        Raises:
            InputError: if the model was compiled with another loss, which would count for nothing.
        """
        if getattr(self, "loss", None) is not None:
            raise InputError(f"A Pix2Seq has its loss: compile it without one. Received: loss={self.loss!r}")
        if token_weights is None:
            token_weights = ops.ones(ops.shape(targets))
        token_weights = ops.cast(token_weights, "float32")
        entropy = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)  # (B, L)
        total = ops.sum(token_weights)
        replicas = tf.distribute.get_replica_context()
        if replicas is not None and replicas.num_replicas_in_sync > 1:
            total = replicas.all_reduce(tf.distribute.ReduceOp.SUM, total)
        return ops.sum(entropy * token_weights) / ops.maximum(total, 1e-9), total

    def train_step(self, data):
        x, targets, token_weights = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            loss, total = self.weighted_loss(targets, logits, token_weights)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self._update_metrics(targets, logits, token_weights, loss, total)

    def test_step(self, data):
        x, targets, token_weights = keras.utils.unpack_x_y_sample_weight(data)
        logits = self(x, training=False)
        loss, total = self.weighted_loss(targets, logits, token_weights)
        return self._update_metrics(targets, logits, token_weights, loss, total)

    def _update_metrics(self, targets, logits, token_weights, loss, total):
        # The replicas' losses add up to the loss; their metrics are averaged.
        replicas = tf.distribute.get_replica_context()
        parts = 1 if replicas is None else replicas.num_replicas_in_sync
        self.loss_metric.update_state(loss * parts, sample_weight=total)
        right = ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(targets, "int32")), "float32")
        counted = None if token_weights is None else ops.cast(token_weights > 0, "float32")
        self.accuracy_metric.update_state(right, sample_weight=counted)
        return {metric.name: metric.result() for metric in self.metrics}
