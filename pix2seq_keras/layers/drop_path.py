"""Stochastic depth."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class DropPath(keras.layers.Layer):
    """Drops a residual branch for whole samples while training (Huang et al. 2016), dividing by the keep rate.

    Args:
        rate: float in [0, 1), the probability that a sample's branch is dropped.
        seed: int or `None`, seed of the drawing. Defaults to `None`, a random one.

    Call arguments:
        x: float tensor (B, ...).

    Returns:
        float tensor of the same shape.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, x, training=False):
        if not training or self.rate == 0:
            return x
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        draw = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        return x * ops.cast(draw >= self.rate, x.dtype) / (1 - self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
