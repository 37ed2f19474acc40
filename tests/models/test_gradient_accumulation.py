"""A batch in parts trains like the whole batch."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.layers import VisionTransformer

LENGTH = 10


@pytest.fixture(scope="module")
def batches(tiny_images):
    """Four batches of eight examples, whose token weights differ much from row to row."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(4):
        targets = rng.integers(0, 22, (8, LENGTH)).astype("int32")
        tokens = np.concatenate([np.ones((8, 1), "int32"), targets[:, :-1]], 1)
        weights = rng.choice([0.0, 0.1, 1.0], (8, LENGTH)).astype("float32") * rng.choice([0.1, 1.0], (8, 1))
        made.append(({"images": tiny_images[rng.permutation(8)], "tokens": tokens}, targets, weights))
    return made


@pytest.fixture(scope="module")
def train(build_tiny_model, batches):
    """A function (optimizer, steps) -> the losses and accuracies of four steps, and the weights after them."""

    def train(optimizer, steps, **options):
        keras.utils.set_random_seed(3)
        encoder = VisionTransformer(patch_size=8, num_layers=1, dim=16, mlp_dim=16, num_heads=2)  # no batch norm
        model = build_tiny_model(3, encoder=encoder, dropout=0.0, drop_path=0.0, **options)
        model.compile(optimizer, accumulation_steps=steps)
        logs = [model.train_on_batch(*batch, return_dict=True) for batch in batches]
        return np.array([[log["loss"], log["accuracy"]] for log in logs]), model

    return train


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_losses_and_weights_are_those_of_the_whole_batch(train, optimizer):
    make = {"sgd": lambda: keras.optimizers.SGD(0.05), "adamw": lambda: keras.optimizers.AdamW(1e-3, epsilon=1e-5)}[
        optimizer
    ]
    expected, whole = train(make(), 1)
    found, parts = train(make(), 4)

    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for one, other in zip(whole.trainable_weights, parts.trainable_weights, strict=True):
        if not one.path.endswith("key/bias"):  # the true gradient is 0: AdamW enlarges what rounding leaves
            a, b = np.array(one), np.array(other)
            assert np.linalg.norm(a - b) <= 1e-5 * max(np.linalg.norm(a), 1e-3), one.path


def test_a_loss_scale_is_taken_out_again(train):
    expected, _ = train(keras.optimizers.SGD(0.05), 2)
    found, _ = train(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=1024.0), 2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_batch_that_cannot_be_split_is_refused(train):
    with pytest.raises(InputError, match=r"`accumulation_steps` must divide the batch\. Received: .*=3 and a batch"):
        train("sgd", 3)


@pytest.mark.parametrize(
    ("optimizer", "steps", "message"),
    [
        ("sgd", 0, "`accumulation_steps` must be at least 1. Received: accumulation_steps=0"),
        (keras.optimizers.SGD(gradient_accumulation_steps=2), 1, "Give `accumulation_steps` to `compile`"),
    ],
)
def test_options_that_would_give_other_losses_are_refused(tiny_model, optimizer, steps, message):
    with pytest.raises(InputError, match=message):
        tiny_model.compile(optimizer, accumulation_steps=steps)


def test_the_number_of_parts_is_saved(build_tiny_model, tmp_path):
    model = build_tiny_model(3)
    model.compile("sgd", accumulation_steps=2)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").accumulation_steps == 2
