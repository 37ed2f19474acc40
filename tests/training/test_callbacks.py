"""The callbacks of a run."""

import csv
from types import SimpleNamespace

import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.training.callbacks import MetricsTable, Progress, drop_rows_after


def table_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def metrics_table(path):
    table = MetricsTable(path, lambda epoch: 10 * (epoch + 1), lambda: 2.25)
    table.set_model(SimpleNamespace(optimizer=SimpleNamespace(iterations=0, learning_rate=0.5)))
    table.on_train_begin()
    return table


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


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\0",
        b"epoch;step\n1;10\n",
        b"epoch,step,loss\n1,10,0.5\n\n",
        b"epoch,step\none,10\n",
        b"\xff\xfe",
        b"a\n",
    ],
)
def test_a_table_that_is_not_as_it_was_written_is_set_aside(tmp_path, content):
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    aside = drop_rows_after(path, 1)
    assert aside == tmp_path / "metrics.damaged.csv" and aside.read_bytes() == content
    assert not path.exists()
