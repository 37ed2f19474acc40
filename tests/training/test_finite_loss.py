"""A run stops at the first loss that is not finite, and its files stay good."""

import dataclasses
import importlib
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data import Augmentation, open_source
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import train
from pix2seq_keras.training.building import build_dataset, build_model, images_of_step
from pix2seq_keras.training.finite_loss import FiniteLoss
from pix2seq_keras.training.run_folder import RunFolder


class Rates(keras.optimizers.schedules.LearningRateSchedule):
    """The update of step `last_good` + 1 destroys the weights."""

    def __init__(self, last_good, rate):
        self.last_good, self.rate = last_good, rate

    def __call__(self, step):
        return tf.where(step < self.last_good, 1e-4, self.rate)


@pytest.mark.parametrize(
    ("last_good", "rate", "message"),
    [
        (3, 1e38, r"The loss must be finite. Received: loss=(nan|inf) at step 5/7"),
        (5, float("inf"), r"The weights must be finite. Received: NaN or infinity in .* at step 6/7"),
    ],
)
def test_a_run_stops_with_the_step_and_its_images_and_keeps_its_last_good_state(
    tiny_recipe, tmp_path, monkeypatch, last_good, rate, message
):
    module = importlib.import_module("pix2seq_keras.training.train")  # the package hands on its function
    monkeypatch.setattr(
        module, "build_optimizer", lambda recipe, variables: keras.optimizers.SGD(Rates(last_good, rate))
    )
    run = RunFolder(tmp_path / "run")

    with pytest.raises(InputError, match=message) as caught:
        train(tiny_recipe, run.path)

    step = int(str(caught.value).split("at step ")[1].split("/")[0])
    images = images_of_step(tiny_recipe, open_source(tiny_recipe.data.source, "train"), step)
    assert all(image in str(caught.value) for image in images)
    with np.load(run.state) as state:
        assert json.loads(str(state["progress"]))["epoch"] == 1
        assert all(np.isfinite(state[name]).all() for name in state.files if name != "progress")
    assert all(np.isfinite(weight).all() for weight in open_model(run.path).get_weights())
    assert not run.last.exists()
    assert "InputError: The " in run.log.read_text()


def test_the_images_of_a_step_are_those_of_its_batch(tiny_recipe):
    source = open_source(tiny_recipe.data.source, "train")
    grey = lambda index: np.full((40, 48, 3), 50 * index, np.uint8)
    distinguishable = dataclasses.replace(source, read=lambda index: {**source.objects(index), "image": grey(index)})
    data = dataclasses.replace(tiny_recipe.data, copies=2, train_limit=4)
    recipe = dataclasses.replace(tiny_recipe, batch_size=4, data=data, augmentation=Augmentation())
    model = build_model(recipe, source.categories)
    x, _, _ = next(iter(build_dataset(recipe, distinguishable, model, step=2)))

    named = images_of_step(recipe, source, step=3)

    indices = np.rint(x["images"][:, 0, 0, 0].numpy() * 255 / 50).astype(int)
    assert indices[0] == indices[1] != indices[2] == indices[3]  # two copies of each
    assert named == [f"{source.image_ids[index]} ({source.label(index)})" for index in indices]


def test_many_images_are_counted_and_finite_losses_pass():
    guard = FiniteLoss(10, 20, lambda step: [f"image {index}" for index in range(12)])
    guard.on_train_batch_end(0, {"loss": 1e30})

    with pytest.raises(InputError, match=r"loss=inf at step 12/20, of the images image 0, .*image 7 and 4 more\."):
        guard.on_train_batch_end(1, {"loss": float("inf")})
