"""The gradients of a batch in parts, so that the activations of only one part are in memory at a time."""

import tensorflow as tf
from keras import ops, tree

from pix2seq_keras.errors import InputError


def accumulated_gradients(model, data, steps, update_metrics):
    """Sums loss, normaliser and gradients over the parts of a batch.

    The loss of a batch is Σ w·cross-entropy / Σ w. It is not the mean of the parts' losses, because their Σ w differ.
    So both sums are accumulated, and the caller divides once.

    Args:
        model: compiled `Pix2Seq`.
        data: nested tensors of B examples, or None, as `train_step` receives them. B must be a multiple of `steps`.
        steps: int, number of parts; each has the next B / `steps` examples.
        update_metrics: function of the `ObjectiveValue` of a part.

    Returns:
        `(loss_sum, normalizer, gradients)`: two float32 scalars, and a list with a tensor for each trainable variable,
        the gradient of `loss_sum`, times the loss scale of the optimizer.
    """
    variables = model.trainable_variables
    parts = tree.map_structure(lambda value: None if value is None else _split(value, steps), data)

    def add(index, loss_sum, normalizer, sums):
        part = tree.map_structure(lambda value: None if value is None else value[index], parts)
        with tf.GradientTape() as tape:
            value = model.objective(model, part, training=True)
            scaled = model.optimizer.scale_loss(value.loss_sum)
        gradients = tape.gradient(scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        update_metrics(value)
        sums = [total + gradient for total, gradient in zip(sums, gradients, strict=True)]
        return index + 1, loss_sum + value.loss_sum, normalizer + value.normalizer, sums

    zeros = [ops.zeros(variable.shape, variable.dtype) for variable in variables]
    _, loss_sum, normalizer, gradients = tf.while_loop(
        lambda index, *_: index < steps,
        add,
        (tf.constant(0), tf.constant(0.0), tf.constant(0.0), zeros),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    return loss_sum, normalizer, gradients


def _split(value, steps):
    """(steps, B / steps, …)."""
    batch = value.shape[0]
    if batch is not None and batch % steps:
        raise InputError(
            f"`accumulation_steps` must divide the batch. Received: accumulation_steps={steps} and a batch of {batch} "
            "examples. Give batches of one size, `batch(…, drop_remainder=True)`."
        )
    tf.debugging.assert_equal(tf.shape(value)[0] % steps, 0, "`accumulation_steps` must divide the batch.")
    return tf.reshape(value, [steps, tf.shape(value)[0] // steps, *value.shape[1:]])
