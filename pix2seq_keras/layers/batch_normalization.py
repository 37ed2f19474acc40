"""Batch normalisation that trains in one fused operation on TensorFlow."""

import keras
from keras import ops


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation (Ioffe and Szegedy 2015), with a faster training step on TensorFlow.

    Keras computes mean, variance and the normalised features in many operations, each of which reads and writes all
    features, and keeps several copies of them for the backward pass. TensorFlow's fused operation does the same with
    one. Where it cannot be used (other backends, statistics synchronised over devices, other axes, no scale or offset),
    Keras's way is taken. Outputs and gradients agree within rounding; weights and their names are the same, so files
    are interchangeable.

    Args:
        **kwargs: of `keras.layers.BatchNormalization`.

    Example:
        >>> layer = BatchNormalization(momentum=0.9, epsilon=1e-5)
        >>> layer(features, training=True).shape  # features: float32 (B, H, W, C)
        TensorShape([2, 20, 20, 64])
    """

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and mask is None and self._can_fuse(inputs)):
            return super().call(inputs, training=training, mask=mask)
        inputs = ops.cast(inputs, self.compute_dtype)
        outputs, mean, variance = _fused(inputs, self.gamma, self.beta, self.epsilon)
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + ops.cast(value, average.dtype) * (1.0 - self.momentum))
        return outputs

    def _can_fuse(self, inputs):
        return (
            keras.backend.backend() == "tensorflow"
            and not self.synchronized
            and not self.renorm
            and self.scale
            and self.center
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
        )


def _fused(inputs, scale, offset, epsilon):
    """(features, mean, variance): features like `inputs` (B, H, W, C); mean and variance float32 (C,) of the batch."""
    import tensorflow as tf  # the layers run on other backends too

    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.cast(scale, tf.float32),
        offset=tf.cast(offset, tf.float32),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=epsilon,
        is_training=True,
    )
    # The operation gives the estimate for the population, times N / (N − 1); Keras keeps the variance of the batch.
    count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
    return outputs, mean, variance * (count - 1) / count
