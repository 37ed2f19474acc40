"""`make` finds a Python that fits, or says what is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def make_environment(tmp_path):
    """Runs make's first step with only the given programs on the PATH, each a shell script."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")

    def run(programs, *settings):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, body in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
        command = [shutil.which("make"), "-C", REPOSITORY, f"VENV={tmp_path / 'venv'}", *settings]
        command += [f"{tmp_path / 'venv'}/bin/python"]
        return subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True, check=False)

    return run


MISSING, OLD = "echo 'command not found' >&2; exit 127", "exit 1"
# Answers the question for its version like this Python, and names itself when it is to make the environment.
USABLE = f'test "$1" = -m && echo "$0 makes $3" || exec {sys.executable} "$@"'


def test_the_first_python_that_fits_makes_the_environment(make_environment):
    run = make_environment({"python3.13": MISSING, "python3.12": USABLE, "python3.11": USABLE, "python3": OLD})
    assert run.returncode == 0, run.stderr
    assert "bin/python3.12 makes " in run.stdout and "python3.11 makes" not in run.stdout


def test_the_interpreter_can_be_chosen(make_environment):
    run = make_environment({"python3.13": USABLE, "python3.11": USABLE}, "PYTHON=python3.11")
    assert run.returncode == 0, run.stderr
    assert "bin/python3.11 makes " in run.stdout and "python3.13 makes" not in run.stdout


def test_a_sentence_says_that_no_python_fits(make_environment):
    run = make_environment({"python3.13": MISSING, "python3": OLD})
    assert run.returncode == 2
    assert "Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip is needed." in run.stderr
    assert "Tried: python3.13 python3.12 python3.11 python3." in run.stderr
