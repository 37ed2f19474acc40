"""The callbacks of a run."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from pix2seq_keras import Categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.training.building import build_model
from pix2seq_keras.training.callbacks import MetricsTable, Progress, SeedDropout, drop_rows_after, seed_generators

ABC = Categories.from_names(["a", "b", "c"])


def table_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def metrics_table(path):
    table = MetricsTable(path, lambda epoch: 10 * (epoch + 1))
    table.set_model(SimpleNamespace(optimizer=SimpleNamespace(iterations=0, learning_rate=0.5)))
    table.on_train_begin()
    return table


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


def test_the_table_has_one_header_and_a_row_for_every_epoch(tmp_path):
    path = tmp_path / "metrics.csv"
    metrics_table(path).on_epoch_end(0, {"loss": 0.1, "val_AP": float("nan")})
    metrics_table(path).on_epoch_end(1, {"loss": 1 / 3, "val_AP": 0.25})  # another process, after a resume
    rows = table_of(path)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["loss"]) == 1 / 3  # every digit: runs are compared by it
    assert rows[0]["val_AP"] == "nan" and rows[0]["learning_rate"] == "0.5"
    assert [entry.name for entry in tmp_path.iterdir()] == ["metrics.csv"]


def test_a_table_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"metrics\.csv cannot be written"):
        metrics_table(tmp_path / "missing" / "metrics.csv").on_epoch_end(0, {"loss": 0.1})


def test_rows_after_the_saved_epoch_are_dropped(tmp_path):
    path = tmp_path / "metrics.csv"
    table = metrics_table(path)
    for epoch in range(12):
        table.on_epoch_end(epoch, {"loss": float(epoch)})
    drop_rows_after(path, 10)
    assert [row["epoch"] for row in table_of(path)] == [str(epoch) for epoch in range(1, 11)]
    drop_rows_after(path, 0)
    assert table_of(path) == []
    table.on_epoch_end(0, {"loss": 5.0})
    assert [row["loss"] for row in table_of(path)] == ["5.0"]


def test_dropping_rows_of_a_table_that_does_not_exist_does_nothing(tmp_path):
    drop_rows_after(tmp_path / "metrics.csv", 3)
    assert list(tmp_path.iterdir()) == []


def test_progress_logs_a_line_for_every_epoch_without_missing_values(capsys):
    lines = []
    progress = Progress(4, 8, lambda epoch: 4 * (epoch + 1), lines.append)
    for _ in range(2):  # two calls of fit share one bar
        progress.on_train_begin()
        for batch in range(2):
            progress.on_train_batch_end(batch)
    progress.on_epoch_end(1, {"loss": 0.25, "val_AP": float("nan")})
    progress.on_epoch_end(1, {"loss": float("nan"), "val_AP": 0.5})
    progress.close()
    progress.close()
    assert lines == ["step 8/8  loss 0.2500", "step 8/8  loss nan  val_AP 0.5000"]
    assert capsys.readouterr().err.count("training: 4/4") == 1
