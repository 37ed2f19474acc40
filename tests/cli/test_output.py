"""What the command prints: characters that the terminal lacks, and names that would control it."""

import json
import os
import subprocess
import sys

import pytest

from pix2seq_keras import cli


@pytest.fixture
def odd_names(write_rectangles, edit_annotations, tmp_path):
    """A COCO folder with an unreadable image 猫.jpg, a class in two lines, and one that would clear the terminal."""
    folder = write_rectangles(tmp_path / "coco", {"train": 3})

    def change(document):
        document["images"][0]["file_name"] = "猫.jpg"
        document["categories"][0]["name"] = "red\nred"
        document["categories"][1]["name"] = "\x1b[2Jgreen"

    edit_annotations(folder, "train", change)
    (folder / "train" / "猫.jpg").write_text("no image")
    return folder


def test_a_terminal_without_utf8_gets_the_whole_report(odd_names, tmp_path):
    encodings = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "pix2seq_keras", "data", "check", f"coco:{odd_names}"]
    run = subprocess.run(
        [*command, "--json", tmp_path / "a.json"], env={**os.environ, **encodings}, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr
    printed = run.stdout.decode("ascii")
    assert r"\u732b.jpg" in printed and "The data can be used for training." in printed
    assert json.loads((tmp_path / "a.json").read_text())["usable"]


def test_no_name_controls_the_terminal(odd_names, capsys):
    assert cli.main(["data", "check", f"coco:{odd_names}"]) == 0
    printed = "".join(capsys.readouterr())
    assert r"\x1b[2Jgreen" in printed
    assert all(character.isprintable() or character == "\n" for character in printed)


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "check", "coco:gone\x1b[2J"],
        ["evaluate", "--model", "\x1b[2J", "--split", "val"],
        ["train", "--recipe", "digits_demo", "--output", "x", "--steps", "\x1b[2J"],
    ],
)
def test_no_error_controls_the_terminal(refused, arguments):
    assert "\x1b" not in refused(*arguments)
