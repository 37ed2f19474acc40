"""A second objective is one file, found by its name in training, in saved models and in recipes."""

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError, objectives
from pix2seq_keras.objectives.maximum_likelihood import MaximumLikelihood
from pix2seq_keras.training import Recipe

SMOOTHED = '''
import keras
from keras import ops

from pix2seq_keras.objectives import ObjectiveValue


class SmoothedLikelihood:
    """Cross-entropy towards targets that are smoothed over the whole vocabulary."""

    metric_names = ("entropy",)

    def __init__(self, smoothing=0.1):
        self.smoothing = smoothing

    def __call__(self, model, batch, training):
        x, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
        log_probs = ops.log_softmax(model(x, training=training))
        wanted = ops.one_hot(targets, log_probs.shape[-1])
        wanted = (1 - self.smoothing) * wanted + self.smoothing / log_probs.shape[-1]
        entropy = -ops.sum(wanted * log_probs, -1)
        return ObjectiveValue(ops.sum(entropy * weights), ops.sum(weights), {"entropy": (entropy, weights)})

    def get_config(self):
        return {"smoothing": self.smoothing}
'''


@pytest.fixture
def smoothed(tmp_path, monkeypatch):
    """The name of an objective that is one more file in the package."""
    (tmp_path / "smoothed_likelihood.py").write_text(SMOOTHED)
    monkeypatch.setattr(objectives, "__path__", [*objectives.__path__, str(tmp_path)])
    return "smoothed_likelihood"


@pytest.fixture
def batch(tiny_images):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 22, (8, 10)).astype("int32")
    tokens = np.concatenate([np.ones((8, 1), "int32"), targets[:, :-1]], 1)
    return {"images": tiny_images, "tokens": tokens}, targets, np.ones((8, 10), "float32")


def test_a_second_objective_is_one_file(smoothed, batch, build_tiny_model, tmp_path):
    assert objectives.names() == ["maximum_likelihood", smoothed]
    model = build_tiny_model(5)
    model.compile(keras.optimizers.SGD(0.01), objective={"name": smoothed, "smoothing": 0.25})

    x, targets, weights = batch
    history = model.fit(x, targets, sample_weight=weights, epochs=2, batch_size=4, verbose=0).history

    assert set(history) == {"loss", "entropy"}
    assert history["loss"] == pytest.approx(history["entropy"], rel=1e-5)  # all weights are equal
    assert history["loss"][1] < history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_compile_config()["objective"] == {"name": smoothed, "smoothing": 0.25}
    assert loaded.objective.smoothing == 0.25
    assert type(loaded.objective).__name__ == "SmoothedLikelihood"


def test_after_another_compilation_only_the_metrics_of_the_new_objective_are_reported(
    smoothed, batch, build_tiny_model
):
    model = build_tiny_model(5)
    x, targets, weights = batch
    reported = []
    for objective in (smoothed, None):
        model.compile("sgd", objective, run_eagerly=True)
        reported.append(set(model.train_on_batch(x, targets, weights, return_dict=True)))
    assert reported == [{"loss", "entropy"}, {"loss", "accuracy"}]


def test_an_objective_of_a_recipe_is_checked_at_once(smoothed):
    assert Recipe(objective={"name": smoothed, "smoothing": 0.2}).objective["smoothing"] == 0.2
    with pytest.raises(InputError, match=f"one of maximum_likelihood, {smoothed},"):
        Recipe(objective="smooth")


@keras.saving.register_keras_serializable(package="test")
class OwnObjective(MaximumLikelihood):
    """An objective that is not in the package: half of the likelihood."""

    metric_names = ()

    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, model, batch, training):
        value = super().__call__(model, batch, training)
        return objectives.ObjectiveValue(self.factor * value.loss_sum, value.normalizer, {})

    def get_config(self):
        return {"factor": self.factor}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_an_object_of_another_package_is_saved_by_keras(batch, build_tiny_model, tmp_path):
    model = build_tiny_model(5, dropout=0.0, drop_path=0.0)
    x, targets, weights = batch
    losses = []
    for objective in (None, OwnObjective(0.25)):
        model.compile(keras.optimizers.SGD(0.0), objective, run_eagerly=True)
        losses.append(model.test_on_batch(x, targets, weights, return_dict=True)["loss"])

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert losses[1] == pytest.approx(losses[0] / 4, rel=1e-5)
    assert isinstance(loaded.objective, OwnObjective) and loaded.objective.factor == 0.25


def test_an_objective_is_a_name_a_mapping_or_an_object():
    own = lambda model, batch, training: None

    assert isinstance(objectives.get(None), MaximumLikelihood)
    assert isinstance(objectives.get("maximum_likelihood"), MaximumLikelihood)
    assert isinstance(objectives.get({"name": "maximum_likelihood"}), MaximumLikelihood)
    assert objectives.get(own) is own


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("likelihood", "`objective` must be one of maximum_likelihood.*Received: objective='likelihood'"),
        ("value", "`objective` must be one of"),
        ("../maximum_likelihood", "`objective` must be one of"),
        ({"smoothing": 1}, "`objective` must be one of"),
        ({"name": "maximum_likelihood", "smoothing": 1}, "maximum_likelihood cannot be made.*smoothing"),
        (3, "`objective` must be one of"),
        (MaximumLikelihood, "`objective` must be one of"),
    ],
)
def test_an_unknown_objective_is_refused(objective, message):
    with pytest.raises(InputError, match=message):
        objectives.get(objective)
