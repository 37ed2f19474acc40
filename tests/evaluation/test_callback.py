import csv
import math

import keras
import numpy as np
import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation import CocoEvaluation


@keras.saving.register_keras_serializable("test_callback")
class Detecting(keras.Model):
    """A model whose weight counts its epochs and whose detections come from an oracle for each epoch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.epochs_done = self.add_weight(name="epochs_done", shape=(), initializer="zeros")
        self.oracles = []

    def call(self, inputs):
        return inputs * self.epochs_done

    def train_step(self, data):
        self.epochs_done.assign_add(1)
        return {"loss": self.epochs_done}

    def detect(self, images, **options):
        return self.oracles[int(self.epochs_done) - 1].detect(images, **options)


@pytest.fixture
def fit(oracle):
    def fit(callbacks, blind, **more):
        """Trains one step per epoch; in epoch i the model detects nothing on the images `blind[i]`."""
        model = Detecting()
        model.oracles = [oracle(blind=images) for images in blind]
        model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
        history = model.fit(np.ones((1, 1)), np.ones((1, 1)), epochs=len(blind), callbacks=callbacks, verbose=0, **more)
        return model, history

    return fit


ALL = range(6)


def test_ap_is_in_the_logs_of_every_epoch_and_in_the_csv_from_the_first_row(fit, make_source, tmp_path):
    evaluation = CocoEvaluation(make_source(6), every=2)

    _, history = fit([evaluation, keras.callbacks.CSVLogger(tmp_path / "metrics.csv")], blind=[(), ALL, (), (), ()])

    assert np.array_equal(history.history["val_AP"], [math.nan, 0, math.nan, 1, 1], equal_nan=True)
    assert {"val_AP", "val_AP50", "val_AP75"} < set(history.history)
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_AP50"]) for row in rows[1::2]] == [0, 1]
    assert math.isnan(float(rows[0]["val_AP75"]))
    assert [entry["epoch"] for entry in evaluation.history] == [1, 3, 4]  # always the last epoch


def test_the_best_model_is_saved(fit, make_source, tmp_path):
    best_path = tmp_path / "run" / "best.keras"
    evaluation = CocoEvaluation(make_source(6), best_path=best_path)

    fit([evaluation], blind=[ALL, (0,), (0, 1, 2), (0,)])

    saved = keras.saving.load_model(best_path)
    assert float(saved.epochs_done) == 2  # the first of two equal models
    assert evaluation.best == max(entry["AP"] for entry in evaluation.history)
    assert [path.name for path in best_path.parent.iterdir()] == ["best.keras"]  # no temporary file is left


def test_the_first_model_is_saved_even_if_its_ap_is_zero(fit, make_source, tmp_path):
    evaluation = CocoEvaluation(make_source(6), best_path=tmp_path / "best.keras")

    fit([evaluation], blind=[ALL, ALL])

    assert evaluation.best == 0.0
    assert float(keras.saving.load_model(tmp_path / "best.keras").epochs_done) == 1


def test_a_resumed_training_does_not_replace_a_better_model(fit, make_source, tmp_path):
    best_path = tmp_path / "best.keras"
    best_path.write_bytes(b"the better one")
    evaluation = CocoEvaluation(make_source(6), best_path=best_path, best=0.99)

    fit([evaluation], blind=[(0,), (0,)])
    assert best_path.read_bytes() == b"the better one"

    fit([evaluation], blind=[()])
    assert evaluation.best == 1.0
    assert float(keras.saving.load_model(best_path).epochs_done) == 1


def test_the_last_epoch_before_an_early_stop_is_evaluated(fit, make_source):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    evaluation = CocoEvaluation(make_source(6), every=10)

    fit([Stop(), evaluation], blind=[(), (), ()])

    assert [entry["epoch"] for entry in evaluation.history] == [1]


def test_detect_options_max_images_and_prefix_are_used(fit, make_source):
    evaluation = CocoEvaluation(make_source(6), max_images=2, batch_size=2, prefix="test_", seed=3)

    model, history = fit([evaluation], blind=[()])

    assert model.oracles[0].calls == [([0, 1], {"batch_size": 2, "seed": 3})]
    assert history.history["test_AP"] == [1.0]
    assert evaluation.history[0]["num_images"] == 2


def test_invalid_arguments_are_refused_before_training(make_source):
    with pytest.raises(InputError, match="at least 1"):
        CocoEvaluation(make_source(1), every=0)
    with pytest.raises(InputError, match=r"end in \.keras"):
        CocoEvaluation(make_source(1), best_path="best.h5")


def test_the_error_names_the_best_path_that_cannot_be_written(fit, make_source, tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    evaluation = CocoEvaluation(make_source(2), best_path=tmp_path / "file" / "best.keras")

    with pytest.raises(InputError, match=r"best\.keras"):
        fit([evaluation], blind=[()])
