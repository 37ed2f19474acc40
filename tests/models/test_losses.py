"""Losses of tokens for `compile`."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError, Vocabulary
from pix2seq_keras.models.losses import SoftCoordinateCrossentropy

VOCABULARY = Vocabulary(num_classes=3, num_bins=16)  # classes 3…5, coordinates 6…21


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(size=(2, 22, 22)).astype("float32")


@pytest.fixture
def targets():
    return np.stack([np.arange(22), np.arange(22)[::-1]]).astype("int32")  # every token once a row


def by_hand(targets, logits, sigma):
    log_probabilities = np.float64(logits) - np.log(np.exp(np.float64(logits)).sum(-1, keepdims=True))
    wanted = np.zeros(logits.shape)
    for place in np.ndindex(targets.shape):
        token = targets[place]
        if token < 6:
            wanted[place][token] = 1
        else:
            wanted[place][6:] = np.exp(-(((np.arange(16) - (token - 6)) / 15) ** 2) / (2 * sigma**2))
            wanted[place] /= wanted[place].sum()
    return -(wanted * log_probabilities).sum(-1)


@pytest.mark.parametrize("sigma", [0.03, 0.1, 5.0])
def test_coordinates_are_normal_distributions_and_other_tokens_are_themselves(targets, logits, sigma):
    losses = SoftCoordinateCrossentropy(VOCABULARY, sigma).call(targets, logits)

    np.testing.assert_allclose(losses, by_hand(targets, logits, sigma), rtol=1e-5)


def test_a_tiny_sigma_is_the_plain_cross_entropy(targets, logits):
    losses = SoftCoordinateCrossentropy(VOCABULARY, 1e-6).call(targets, logits)

    plain = keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    np.testing.assert_allclose(losses, plain, rtol=1e-5)


def test_a_neighbouring_bin_costs_less_than_a_distant_one():
    loss = SoftCoordinateCrossentropy(VOCABULARY, 0.1)
    sure_of = lambda bin_: 5.0 * np.eye(22, dtype="float32")[None, None, 6 + bin_]  # (1, 1, 22)

    right, near, far = (float(loss.call(np.array([[6 + 8]]), sure_of(bin_))[0, 0]) for bin_ in (8, 9, 14))

    assert right < near < far


def test_fit_uses_it_and_a_saved_model_keeps_it(build_tiny_model, tiny_pictures, tmp_path):
    model = build_tiny_model(5, dropout=0.0, drop_path=0.0)
    model.compile(keras.optimizers.SGD(0.0), SoftCoordinateCrossentropy(model.vocabulary, 0.05), run_eagerly=True)
    targets = np.random.default_rng(1).integers(0, model.vocabulary.size, (8, 10)).astype("int32")
    x = {"images": tiny_pictures, "tokens": np.ones((8, 10), "int32")}
    model.save(tmp_path / "model.keras")

    loss = model.evaluate(x, targets, verbose=0, return_dict=True)["loss"]
    again = keras.saving.load_model(tmp_path / "model.keras").evaluate(x, targets, verbose=0, return_dict=True)["loss"]

    expected = np.mean(model.loss.call(targets, model(x)))
    assert loss == pytest.approx(expected, rel=1e-5)
    assert again == pytest.approx(expected, rel=1e-5)
    plain = keras.ops.sparse_categorical_crossentropy(targets, model(x), from_logits=True)
    assert loss != pytest.approx(float(np.mean(plain)), rel=1e-3)


@pytest.mark.parametrize("loss", ["mse", "sparse_categorical_crossentropy"])
def test_a_loss_that_is_none_of_tokens_is_refused(build_tiny_model, tiny_pictures, loss):
    model = build_tiny_model(5)
    model.compile("sgd", loss, run_eagerly=True)

    with pytest.raises(InputError, match=f"without a loss, or .* Received: loss='{loss}'"):
        model.evaluate({"images": tiny_pictures, "tokens": np.ones((8, 10), "int32")}, np.ones((8, 10)), verbose=0)


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf")])
def test_a_sigma_that_is_no_width_is_refused(sigma):
    with pytest.raises(InputError, match="sigma must be positive"):
        SoftCoordinateCrossentropy(VOCABULARY, sigma)
