"""Drawing of the digit scenes: interrupted, or by two processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pix2seq_keras.data.sources.digits import builder as digits_builder
from pix2seq_keras.data.sources.digits.builder import DigitScenes
from pix2seq_keras.data.sources.digits.read import open_digits
from pix2seq_keras.data.sources.digits.scenes import draw_scene

REPOSITORY = Path(__file__).resolve().parents[4]


def test_after_an_error_no_partial_data_set_opens(empty_folder, monkeypatch):
    def fails_at_20(size, split, index):
        if index == 20:
            raise RuntimeError("power cut")
        return draw_scene(size, split, index)

    monkeypatch.setattr(digits_builder, "draw_scene", fails_at_20)
    with pytest.raises(RuntimeError, match="power cut"):
        open_digits("64", "test")
    assert not list(empty_folder.rglob("*.array_record*"))

    monkeypatch.setattr(digits_builder, "draw_scene", draw_scene)
    assert len(open_digits("64", "test").image_ids) == 300


def test_killed_and_simultaneous_preparations_leave_a_complete_data_set(tmp_path):
    # With the same seed in every process, TFDS would give their temporary folders the same name.
    program = """
import os, random, signal, sys
from pix2seq_keras.data.sources.digits import builder as digits_builder
random.seed(0)
draw = digits_builder.draw_scene
def draw_or_die(size, split, index):
    if index == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(size, split, index)
digits_builder.draw_scene = draw_or_die
digits_builder.DigitScenes(config="64_val", data_dir=sys.argv[1]).download_and_prepare()
"""

    def start(dies_at):
        arguments = [sys.executable, "-c", program, str(tmp_path), str(dies_at)]
        return subprocess.Popen(arguments, cwd=REPOSITORY, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})

    home = tmp_path / "digit_scenes" / "64_val"
    assert start(dies_at=20).wait() == -signal.SIGKILL
    assert not (home / "1.0.0").exists()
    assert list(home.glob("incomplete.*"))

    both = [start(dies_at=-1), start(dies_at=-1)]
    assert [process.wait() for process in both] == [0, 0]

    assert not list(home.glob("incomplete.*"))
    records = DigitScenes(config="64_val", data_dir=tmp_path).as_data_source("val")
    assert len(records) == 200
    np.testing.assert_array_equal(records[150]["image"], draw_scene("64", "val", 150).image)
