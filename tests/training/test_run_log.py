"""The log of a run."""

import re

import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.training.run_log import RunLog


def test_lines_are_printed_and_appended_with_the_time(tmp_path, capsys):
    for line in ("one", "two"):  # the second time as after a resume
        with RunLog(tmp_path / "train.log") as log:
            log(line)

    assert capsys.readouterr().out == "one\ntwo\n"
    lines = (tmp_path / "train.log").read_text().splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d ", "", line) for line in lines] == ["one", "two"]


def test_names_from_data_neither_control_the_terminal_nor_end_the_run(tmp_path, capsys):
    with RunLog(tmp_path / "train.log") as log:
        log("missing: \x1b[2J\udcff.jpg\n猫.jpg")

    assert capsys.readouterr().out == "missing: \\x1b[2J\\udcff.jpg\n猫.jpg\n"
    assert "missing: \\x1b[2J\\udcff.jpg\n猫.jpg\n" in (tmp_path / "train.log").read_text(encoding="utf-8")


def test_the_error_that_ends_a_run_is_logged(tmp_path):
    with pytest.raises(ValueError, match="no more"), RunLog(tmp_path / "train.log"):
        raise ValueError("no more")
    assert "stopped: ValueError: no more" in (tmp_path / "train.log").read_text()


def test_a_log_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"train\.log cannot be written"), RunLog(tmp_path / "none" / "train.log"):
        pytest.fail("the run must not begin")
