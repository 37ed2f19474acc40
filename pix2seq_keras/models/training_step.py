"""How a Pix2Seq learns under `model.fit`: an objective that is passed to `compile`."""

import functools

import keras
import tensorflow as tf
from keras import ops

from pix2seq_keras import objectives
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.gradient_accumulation import accumulated_gradients
from pix2seq_keras.models.training_inputs import check_arguments, check_inputs, check_predicted, with_token_weights
from pix2seq_keras.objectives.value import ObjectiveValue
from pix2seq_keras.ranges import require_count

_REPLACED = ("loss", "loss_weights", "metrics", "weighted_metrics")  # arguments of keras.Model.compile


class ObjectiveTraining:
    """`compile`, `train_step` and `test_step` with an objective; mixed into `keras.Model`.

    The loss is Σ loss_sum / Σ normalizer of the objective's values over the global batch. Under tf.distribute the
    normaliser is summed over the replicas, so that the replicas' losses add up to the loss of one device. Metrics:
    `loss`, and those of the objective. `sample_weight` has a weight for each token (B, L), or for each image (B,).
    """

    objective = None
    accumulation_steps = 1

    def compile(self, optimizer="rmsprop", objective=None, accumulation_steps=1, **kwargs):
        """Configures the model for training.

        Args:
            optimizer: str or Keras optimizer. Defaults to `"rmsprop"`, as in Keras.
            objective: str, dict or objective: a name of `objectives.names()`, a dict of its name and parameters, or an
                object as described in `pix2seq_keras.objectives`. Defaults to None, maximum likelihood.
            accumulation_steps: int, in how many parts a batch goes through the network. The gradients are those of the
                whole batch, with a fraction of its memory. Batch normalisation takes its statistics from each part.
                Defaults to 1.
            **kwargs: of `keras.Model.compile`, without losses and metrics.

        Raises:
            InputError: if the objective is unknown, a Keras loss or metric is given, `accumulation_steps` is below 1,
                or the optimizer accumulates gradients itself.

        Example:
            >>> model.compile(keras.optimizers.AdamW(1e-3), objective="maximum_likelihood")
        """
        if given := [name for name in _REPLACED if kwargs.pop(name, None) is not None]:
            raise InputError(
                f"`{given[0]}` must be None: the objective gives the loss and its metrics. Received: {given[0]}=…. Use "
                f"`objective`, one of {', '.join(objectives.names())}, or an object."
            )
        require_count("accumulation_steps", accumulation_steps)
        if getattr(optimizer, "gradient_accumulation_steps", None):
            raise InputError(
                "`gradient_accumulation_steps` of the optimizer must be None: it would average the losses of the parts,"
                " whose token weights differ. Received: gradient_accumulation_steps="
                f"{optimizer.gradient_accumulation_steps}. Give `accumulation_steps` to `compile`."
            )
        self.objective = objectives.get(objective)
        self.accumulation_steps = accumulation_steps
        self.training_metrics = _Metrics(getattr(self.objective, "metric_names", ()))
        super().compile(optimizer, **kwargs)

    def get_compile_config(self):
        config = super().get_compile_config()
        if not config:
            return config
        steps = {"accumulation_steps": self.accumulation_steps} if self.accumulation_steps > 1 else {}
        return {**config, "objective": objectives.serialize(self.objective), **steps}

    def compile_from_config(self, config):
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    def make_train_function(self, force=False):
        if not self.optimizer.built:  # tf.function would trace the step twice if the first call created variables
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    @property
    def metrics(self):
        if self.objective is None:
            return super().metrics
        others = [metric for metric in super().metrics if metric.name != "loss"]
        return [self.training_metrics.loss, *self.training_metrics.of_objective, *others]

    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        check_arguments(keras.Model.fit, *args, **kwargs)
        return super().fit(*args, **kwargs)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, *args, **kwargs):
        check_arguments(keras.Model.evaluate, *args, **kwargs)
        return super().evaluate(*args, **kwargs)

    @functools.wraps(keras.Model.train_on_batch)
    def train_on_batch(self, *args, **kwargs):
        check_arguments(keras.Model.train_on_batch, *args, **kwargs)
        return super().train_on_batch(*args, **kwargs)

    @functools.wraps(keras.Model.test_on_batch)
    def test_on_batch(self, *args, **kwargs):
        check_arguments(keras.Model.test_on_batch, *args, **kwargs)
        return super().test_on_batch(*args, **kwargs)

    @functools.wraps(keras.Model.predict)
    def predict(self, x, *args, **kwargs):
        check_predicted(x)
        return super().predict(x, *args, **kwargs)

    @functools.wraps(keras.Model.__call__)
    def __call__(self, inputs, *args, **kwargs):
        check_inputs(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def train_step(self, data):
        data = with_token_weights(data)
        if self.accumulation_steps > 1:
            return self._accumulated_train_step(data)
        with tf.GradientTape() as tape:
            value = self.objective(self, data, training=True)
            loss, total = _normalized(value)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self._update_metrics(value, loss, total)

    def _accumulated_train_step(self, data):
        sums = accumulated_gradients(self, data, self.accumulation_steps, self._update_objective_metrics)
        loss, total = _normalized(ObjectiveValue(*sums[:2], {}))
        gradients = [gradient / ops.maximum(total, 1e-9) for gradient in sums[2]]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self._update_loss(loss, total)

    def test_step(self, data):
        data = with_token_weights(data)
        value = self.objective(self, data, training=False)
        return self._update_metrics(value, *_normalized(value))

    def _update_metrics(self, value, loss, total):
        self._update_objective_metrics(value)
        return self._update_loss(loss, total)

    def _update_objective_metrics(self, value):
        for metric in self.training_metrics.of_objective:
            values, weights = value.metrics[metric.name]
            metric.update_state(values, sample_weight=weights)

    def _update_loss(self, loss, total):
        # The replicas' losses add up to the loss; their metrics are averaged.
        replicas = tf.distribute.get_replica_context()
        parts = 1 if replicas is None else replicas.num_replicas_in_sync
        self.training_metrics.loss.update_state(loss * parts, sample_weight=total)
        return {metric.name: metric.result() for metric in self.metrics}


class _Metrics:
    """The metrics of one compilation: `loss`, and a list of those of the objective.

    Keras would track metrics that are attributes of the model, and still report them after the next compilation.
    """

    def __init__(self, names):
        self.loss = keras.metrics.Mean(name="loss")
        self.of_objective = [keras.metrics.Mean(name=name) for name in names]


def _normalized(value):
    """The replica's share of the loss, and the normaliser of the global batch: two float32 scalars."""
    total = value.normalizer
    replicas = tf.distribute.get_replica_context()
    if replicas is not None and replicas.num_replicas_in_sync > 1:
        total = replicas.all_reduce(tf.distribute.ReduceOp.SUM, total)
    return value.loss_sum / ops.maximum(total, 1e-9), total
