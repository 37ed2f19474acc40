"""The random states of dropout, which no model file stores."""

import keras


class SeedDropout(keras.callbacks.Callback):
    """Sets the random state of every dropout at the start of an epoch to a function of (seed, epoch).

    Random states are not weights, so no file stores them. Without this, a resumed run would drop other units.

    Args:
        seed: int, seed of the run.
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        for index, generator in enumerate(seed_generators(self.model)):
            generator.state.assign([(self.seed * 1_000_003 + index) % 2**32, epoch])  # uint32


def seed_generators(model):
    """List of the `keras.random.SeedGenerator` of all layers of a model, in the order of the layers."""
    generators = []
    for layer in model._flatten_layers():
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generators.append(generator)
    return generators
