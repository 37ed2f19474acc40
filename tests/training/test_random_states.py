"""The random states of dropout."""

import numpy as np

from pix2seq_keras import Categories
from pix2seq_keras.training.building import build_model
from pix2seq_keras.training.random_states import SeedDropout, seed_generators

ABC = Categories.from_names(["a", "b", "c"])


def test_seeded_dropout_is_a_function_of_seed_and_epoch(tiny_recipe):
    model = build_model(tiny_recipe, ABC)
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    tokens = np.ones((2, 20), np.int32)

    def output(seed, epoch):
        callback = SeedDropout(seed)
        callback.set_model(model)
        callback.on_epoch_begin(epoch)
        return np.asarray(model({"images": images, "tokens": tokens}, training=True))

    first = output(7, 2)
    np.testing.assert_array_equal(first, output(7, 2))
    assert not np.array_equal(first, output(7, 3))
    assert not np.array_equal(first, output(8, 2))


def test_every_random_state_of_the_model_gets_its_own_seed(tiny_recipe):
    model = build_model(tiny_recipe, ABC)
    states = [variable for variable in model.variables if "seed_generator_state" in variable.path]
    generators = seed_generators(model)
    callback = SeedDropout(2**31 - 1)
    callback.set_model(model)
    callback.on_epoch_begin(4)
    assert len(states) > 3
    assert {id(generator.state) for generator in generators} == {id(state) for state in states}
    assert len({tuple(np.asarray(state)) for state in states}) == len(states)


def test_a_model_without_dropout_has_no_random_states(plain_recipe):
    assert seed_generators(build_model(plain_recipe, ABC)) == []
