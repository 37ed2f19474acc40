"""Moving averages of the weights: their arithmetic, what is evaluated and saved, resuming."""

import dataclasses

import keras
import numpy as np
import pytest

from pix2seq_keras.inference import open_model
from pix2seq_keras.training import train
from pix2seq_keras.training.averaged_weights import averaged_weights
from pix2seq_keras.training.run_folder import RunFolder


@pytest.fixture
def model():
    """One weight, whose gradient is 1."""

    class One(keras.Model):
        def build(self, shape):
            self.weight = self.add_weight(shape=(), initializer="zeros")

        def call(self, inputs):
            return inputs * self.weight

    return One()


def steps(model, optimizer, count):
    model.compile(optimizer, loss=lambda y, prediction: prediction, run_eagerly=True)
    return [
        (model.train_on_batch(np.ones((1, 1)), np.ones((1, 1))), float(model.weight.numpy()))[1] for _ in range(count)
    ]


def test_the_average_follows_the_weights_and_gives_way_to_them(model):
    weights = steps(model, keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), 3)
    assert weights == [-1, -2, -3]
    with averaged_weights(model):
        assert float(model.weight.numpy()) == 0.5 * (0.5 * -1 + 0.5 * -2) + 0.5 * -3
    assert float(model.weight.numpy()) == -3


def test_the_weights_come_back_after_an_error(model):
    steps(model, keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), 2)
    with pytest.raises(KeyError), averaged_weights(model):
        raise KeyError
    assert float(model.weight.numpy()) == -2


def test_without_averages_the_weights_stay(model):
    steps(model, keras.optimizers.SGD(1.0), 2)
    with averaged_weights(model):
        assert float(model.weight.numpy()) == -2


def test_a_loss_scale_does_not_hide_the_averages(model):
    inner = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    steps(model, keras.optimizers.LossScaleOptimizer(inner), 2)
    with averaged_weights(model):
        assert float(model.weight.numpy()) == -1.5


@pytest.mark.usefixtures("eagerly")
def test_a_run_saves_and_resumes_the_averages_and_excludes_weights_from_decay(tiny_recipe, tmp_path):
    optimizer = dataclasses.replace(
        tiny_recipe.optimizer, ema=0.5, no_decay=("bias", "gamma"), learning_rate=0.01, warmup_steps=0
    )
    evaluation = dataclasses.replace(tiny_recipe.evaluation, gallery_images=0, every=9)
    recipe = dataclasses.replace(
        tiny_recipe, steps=3, epoch_steps=3, optimizer=optimizer, evaluation=evaluation, accumulation_steps=2
    )

    train(recipe, tmp_path / "run")

    run = RunFolder(tmp_path / "run")
    saved = open_model(run.last)
    trained = [np.array(weight) for weight in saved.trainable_variables]
    with np.load(run.state) as state:
        last = [state[f"weight_{index}"] for index, weight in enumerate(saved.weights) if weight.trainable]
        stored = [state[name] for name in state.files if name.startswith("optimizer_")]
    assert any(not np.array_equal(one, other) for one, other in zip(trained, last, strict=True))
    for value in trained:
        assert any(value.shape == other.shape and np.array_equal(value, other) for other in stored)
