"""What fit, evaluate and predict accept as weights and inputs, and the sentences about the rest."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras import InputError


@pytest.fixture(scope="module")
def model(build_tiny_model):
    model = build_tiny_model(5, dropout=0.0, drop_path=0.0)
    model.compile(keras.optimizers.SGD(0.0))
    return model


@pytest.fixture
def batch(tiny_images):
    tokens = np.random.default_rng(0).integers(1, 22, (8, 10)).astype("int32")
    return {"images": tiny_images, "tokens": tokens}, np.roll(tokens, -1, 1)


def loss(model, x, y, weights):
    return model.evaluate(x, y, sample_weight=weights, batch_size=4, verbose=0, return_dict=True)["loss"]


def test_a_weight_for_each_image_is_that_of_all_its_tokens(model, batch):
    x, y = batch
    weights = np.linspace(0.0, 1.0, 8, dtype="float32")
    expected = loss(model, x, y, np.repeat(weights[:, None], 10, 1))

    assert loss(model, x, y, weights) == pytest.approx(expected, rel=1e-5)
    assert loss(model, x, y, weights[:, None]) == pytest.approx(expected, rel=1e-5)
    dataset = tf.data.Dataset.from_tensor_slices((x, y, weights)).batch(4)
    assert model.evaluate(dataset, verbose=0, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-5)
    trained = model.train_on_batch(x, y, weights, return_dict=True)["loss"]
    assert trained == pytest.approx(
        model.train_on_batch(x, y, np.repeat(weights[:, None], 10, 1), return_dict=True)["loss"]
    )


@pytest.mark.parametrize("shape", [(8, 3), (8, 10, 1), (8, 1, 1)])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_weights_of_another_shape_are_refused(model, batch, shape, method):
    received = ", ".join(map(str, (r"(None|4|8)", *shape[1:])))

    with pytest.raises(InputError, match=rf"`sample_weight` must have .*\(B, 10\).*Received: shape \({received}\)"):
        getattr(model, method)(*batch, sample_weight=np.ones(shape, "float32"), batch_size=4, verbose=0)


def test_class_weights_are_refused(model, batch):
    for call in (
        lambda: model.fit(*batch, class_weight={0: 2.0}),
        lambda: model.train_on_batch(*batch, None, {0: 2.0}),
    ):
        with pytest.raises(InputError, match=r"`class_weight` must be None.*Received: class_weight=\{0: 2.0\}"):
            call()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 32, 3), np.float32),
        tf.zeros((2, 32, 32, 3)),
        ["a.jpg"],
        "a.jpg",
        Image.new("RGB", (4, 4)),
        {"images": np.zeros((2, 32, 32, 3), np.float32)},
        tf.data.Dataset.from_tensors(tf.zeros((2, 32, 32, 3))),
    ],
)
def test_predicting_images_is_refused_with_the_name_of_detect(model, images):
    with pytest.raises(InputError, match=r"dictionary of `images` and `tokens`.*use `detect\(images\)`"):
        model.predict(images, verbose=0)


def test_bare_images_are_refused_by_the_model_and_by_fit(model, batch):
    for call in (lambda: model(batch[0]["images"]), lambda: model.fit(batch[0]["images"], batch[1], verbose=0)):
        with pytest.raises(InputError, match="dictionary of `images` and `tokens`"):
            call()
