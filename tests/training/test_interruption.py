"""Signals end a run where it can continue, and a resumed run equals one that nothing stopped."""

import os
import signal

import numpy as np
import pytest

from pix2seq_keras.evaluation import callback
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import train
from pix2seq_keras.training.callbacks import SaveState
from pix2seq_keras.training.interruption import Interruption, RunInterruptedError


def test_the_first_signal_is_noted_and_the_handlers_come_back(capfd):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        interruption.check()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.signal is signal.SIGTERM
        with pytest.raises(RunInterruptedError):
            interruption.check()
        with pytest.raises(SystemExit) as stop:
            interruption.end()
    assert stop.value.code == 143
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert capfd.readouterr().err == "\nSIGTERM: the run ends after this step. Once more ends it at once.\n"


def test_work_that_is_repeated_ends_at_once():
    with Interruption() as interruption:
        with pytest.raises(RunInterruptedError), interruption.at_once():
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("the signal must raise")
        with pytest.raises(RunInterruptedError), interruption.at_once():
            raise AssertionError("a signal that came before must raise")
        with pytest.raises(KeyboardInterrupt):
            interruption.end()


@pytest.mark.large
def test_a_run_that_signals_stopped_in_an_epoch_and_in_an_evaluation_equals_one_that_nothing_stopped(
    tiny_recipe, tmp_path, monkeypatch
):
    run, whole = tmp_path / "run", tmp_path / "whole"
    step, evaluate = SaveState.on_train_batch_end, callback.evaluate_source

    def step_then_signal(self, batch, logs=None):
        if self.progress["step"] == 3:  # four steps done, one of them in the second epoch
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, batch, logs)

    def signal_then_evaluate(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)
        return evaluate(*arguments, **options)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(SaveState, "on_train_batch_end", step_then_signal)
        train(tiny_recipe, run)
    assert stop.value.code == 143
    assert "SIGTERM: stopped after step 4/7. `resume` continues the run." in (run / "train.log").read_text()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(callback, "evaluate_source", signal_then_evaluate)
        train(None, run, resume=True)
    assert "SIGINT: stopped after step 6/7" in (run / "train.log").read_text()
    train(None, run, resume=True)

    train(tiny_recipe, whole)
    for name in ("best.keras", "last.keras"):
        for one, other in zip(open_model(run / name).weights, open_model(whole / name).weights, strict=True):
            np.testing.assert_array_equal(one, other)
    rows = [
        [row.split(",")[:3] + row.split(",")[4:] for row in (folder / "metrics.csv").read_text().splitlines()]
        for folder in (run, whole)
    ]
    assert rows[0] == rows[1]


def test_two_trainings_in_one_folder_are_refused(tiny_recipe, tmp_path):
    from pix2seq_keras.errors import InputError
    from pix2seq_keras.training.run_folder import RunFolder

    run = RunFolder(tmp_path)
    (tmp_path / ".best-left").mkdir()
    (tmp_path / ".state.npz.1.tmp").touch()
    with run.lock():
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
        with pytest.raises(InputError, match="`output` must not be in use by another training"):
            train(tiny_recipe, tmp_path)
