"""The objective with token weights, under fit, evaluate and predict."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError

LENGTH = 10


@pytest.fixture
def batch(tiny_images):
    """Eight examples: x, targets, token weights of 0, 0.1 and 1 unevenly spread."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 22, (8, LENGTH)).astype("int32")
    tokens = np.concatenate([np.ones((8, 1), "int32"), targets[:, :-1]], 1)
    weights = rng.choice([0.0, 0.1, 1.0], (8, LENGTH)).astype("float32")
    weights[:4] *= 0.1  # so that the two batches of four weigh differently
    return {"images": tiny_images, "tokens": tokens}, targets, weights


@pytest.fixture(scope="module")
def fresh(build_tiny_model):
    """A function (learning_rate) -> the same compiled model with its first values; nothing in it is random."""
    model = build_tiny_model(5, dropout=0.0, drop_path=0.0)
    model.compile(keras.optimizers.SGD(0.0, momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    values = [np.array(variable) for variable in variables]

    def restored(learning_rate=0.0):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        model.optimizer.learning_rate.assign(learning_rate)
        model.reset_metrics()
        return model

    return restored


def numpy_loss(logits, targets, weights):
    logits = np.float64(logits)
    shifted = logits - logits.max(-1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    entropy = -np.take_along_axis(log_probabilities, targets[..., None], -1)[..., 0]
    return (entropy * weights).sum() / weights.sum()


def numpy_accuracy(logits, targets, weights):
    return (np.asarray(logits).argmax(-1) == targets)[weights > 0].mean()


def test_evaluate_gives_the_weighted_loss_of_all_batches_together(fresh, batch):
    model, (x, targets, weights) = fresh(), batch
    logits = model(x, training=False)

    logs = model.evaluate(x, targets, sample_weight=weights, batch_size=4, verbose=0, return_dict=True)

    assert set(logs) == {"loss", "accuracy"}
    assert logs["loss"] == pytest.approx(numpy_loss(logits, targets, weights), rel=1e-5)
    assert logs["accuracy"] == pytest.approx(numpy_accuracy(logits, targets, weights))


def test_a_training_step_gives_the_weighted_loss_before_it(fresh, batch):
    model, (x, targets, weights) = fresh(), batch
    logits = model(x, training=True)  # with the batch's own statistics

    logs = model.train_on_batch(x, targets, weights, return_dict=True)

    assert logs["loss"] == pytest.approx(numpy_loss(logits, targets, weights), rel=1e-4)
    assert logs["accuracy"] == pytest.approx(numpy_accuracy(logits, targets, weights))


def test_accuracy_ignores_tokens_without_weight(fresh, batch):
    model, (x, _, _) = fresh(), batch
    right = np.asarray(model(x)).argmax(-1).astype("int32")
    wrong = (right + 1) % 22
    counted = np.arange(LENGTH)[None] < np.array([[5]] * 8)
    evaluate = lambda weights: model.evaluate(
        x, np.where(counted, right, wrong), sample_weight=weights, verbose=0, return_dict=True
    )["accuracy"]

    assert evaluate(np.where(counted, 0.1, 0.0).astype("float32")) == 1
    assert evaluate(np.where(counted, 0.0, 7.0).astype("float32")) == 0
    assert evaluate(np.where(counted, 0.1, 9.0).astype("float32")) == pytest.approx(0.5)  # not weighted


def test_without_weights_every_token_counts(fresh, batch):
    model, (x, targets, _) = fresh(), batch

    logs = model.evaluate(x, targets, verbose=0, return_dict=True)

    ones = np.ones_like(targets, "float32")
    assert logs["loss"] == pytest.approx(numpy_loss(model(x), targets, ones), rel=1e-5)
    assert logs["accuracy"] == pytest.approx(numpy_accuracy(model(x), targets, ones))


def test_a_batch_without_any_weight_has_the_loss_0(fresh, batch):
    model, (x, targets, weights) = fresh(0.1), batch

    logs = model.train_on_batch(x, targets, 0 * weights, return_dict=True)

    assert logs["loss"] == 0
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_the_gradient_is_that_of_the_weighted_loss(fresh, batch):
    model, (x, targets, weights) = fresh(0.1), batch
    with tf.GradientTape() as tape:
        probabilities = tf.nn.log_softmax(model(x, training=True))
        entropy = -tf.gather(probabilities, targets, batch_dims=2)
        loss = tf.reduce_sum(entropy * weights) / tf.reduce_sum(weights)
    gradient = tape.gradient(loss, model.embedding.output_bias).numpy()
    before = model.embedding.output_bias.numpy()

    model.train_on_batch(x, targets, weights)

    np.testing.assert_allclose(model.embedding.output_bias.numpy(), before - 0.1 * gradient, atol=1e-6)


def test_fit_needs_only_an_optimizer_and_overfits_a_batch(fresh, batch):
    model, (x, targets, weights) = fresh(0.005), batch
    dataset = tf.data.Dataset.from_tensors((x, targets, weights)).repeat()

    history = model.fit(dataset, epochs=3, steps_per_epoch=40, verbose=0).history

    assert history["loss"][-1] < 0.4 * history["loss"][0]
    assert history["accuracy"][-1] > history["accuracy"][0]


def test_fit_reports_a_validation_loss(fresh, batch):
    model, (x, targets, weights) = fresh(), batch

    history = model.fit(x, targets, sample_weight=weights, validation_data=batch, verbose=0).history

    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_every_weight_is_trained(fresh, batch):
    model, (x, targets, weights) = fresh(0.05), batch
    before = [np.array(weight) for weight in model.trainable_weights]

    model.train_on_batch(x, targets, weights)  # a fresh block's last gamma is 0: what it scales has no gradient yet
    model.train_on_batch(x, targets, weights)

    # The bias of the keys adds the same number to all scores of a query, which the softmax cancels.
    still = [
        weight.path
        for weight, old in zip(model.trainable_weights, before, strict=True)
        if np.array_equal(weight, old) and not weight.path.endswith("key/bias")
    ]
    assert not still


def test_predict_gives_the_logits(fresh, batch):
    model, (x, _, _) = fresh(), batch

    logits = model.predict(x, batch_size=4, verbose=0)

    np.testing.assert_allclose(logits, model(x), atol=1e-4)


@pytest.mark.parametrize("loss", ["mse", keras.losses.SparseCategoricalCrossentropy()])
def test_a_keras_loss_is_refused(build_tiny_model, loss):
    model = build_tiny_model(5)

    with pytest.raises(InputError, match=r"`loss` must be None.*Use `objective`, one of maximum_likelihood"):
        model.compile("sgd", loss=loss)
    with pytest.raises(InputError, match=r"`metrics` must be None"):
        model.compile("sgd", metrics=["mse"])


def test_a_compiled_model_is_saved_with_its_objective_and_optimizer(build_tiny_model, tmp_path):
    model = build_tiny_model(5)
    model.compile(keras.optimizers.SGD(0.125), objective="maximum_likelihood")

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert type(loaded.objective) is type(model.objective)
    assert float(loaded.optimizer.learning_rate) == 0.125
    assert loaded.get_compile_config()["objective"] == {"name": "maximum_likelihood"}
