"""Help, and the refusal of a mistyped flag, come without TensorFlow."""

import json
import subprocess
import sys

import pytest

from pix2seq_keras import cli

HEAVY = {"tensorflow", "keras", "numpy", "rich", "h5py", "grpc", "matplotlib"}
# Runs the command in a new process, then names the heavy modules that it imported.
PROGRAM = """
import json, sys
from pix2seq_keras.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as stop:
    status = stop.code
sys.stdout.flush()
print(json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def commands(level=cli.COMMANDS, names=()):
    """Every command, as a list of words."""
    for name, command in level.items():
        yield [*names, name]
        if isinstance(command, cli.Group):
            yield from commands(command.commands, [*names, name])


def answer(arguments):
    """The status, the heavy modules, and what a process printed for these arguments."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    *messages, last = run.stderr.strip().splitlines()
    status, loaded = json.loads(last)
    return status, HEAVY & set(loaded), run.stdout + "\n".join(messages)


@pytest.mark.parametrize("command", [[], *commands()], ids=" ".join)
def test_help_loads_no_heavy_library(command):
    status, heavy, text = answer([*command, "--help"])
    assert (status, heavy) == (0, set())
    assert f"{' '.join(command[-1:])} " in text and "--help" in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], 'expected "command" to be one of'),
        (["evaluat"], "invalid choice: 'evaluat'"),
        (["data"], 'expected "command" to be one of {check'),
        (["data", "chek"], "invalid choice: 'chek'"),
        (["evaluate", "--modl", "x"], "unrecognized arguments: --modl x"),
        (["serve", "--model", "x", "--grpc-prt", "1"], "unrecognized arguments: --grpc_prt 1"),
        (["predict", "--model", "x", "image.png"], "arguments are required: output"),
        (["train", "--recipe", "bccd", "--output", "run", "--stepz", "3"], "unrecognized arguments: --stepz 3"),
        (["train", "--recipe", "cocoa", "--output", "run"], "There is no recipe 'cocoa'"),
        (["data", "preview", "--recipe", "bccd", "--stepz", "3"], "unrecognized arguments: --stepz 3"),
        (["benchmark", "pipeline", "--rounds", "many"], "rounds"),
    ],
)
def test_a_mistake_is_refused_without_a_heavy_library(arguments, message):
    status, heavy, text = answer(arguments)
    assert (status, heavy) == (2, set())
    assert message in text


def test_help_lists_the_commands_and_a_flag_for_every_field_of_the_recipe(capsys):
    for arguments, words in ((["--help"], ("train", "evaluate", "predict")), (["train", "--help"], ("digits_tiny",))):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        text = capsys.readouterr().out
        assert stop.value.code == 0
        assert all(word in text for word in words)
    assert "--model.stem_widths" in text and "--evaluation.every" in text


def test_the_version_is_that_of_the_package(capsys):
    import pix2seq_keras

    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"pix2seq {pix2seq_keras.__version__}\n"


def test_every_command_names_functions_that_exist():
    for words in commands():
        command = cli.COMMANDS[words[0]]
        command = command if len(words) == 1 else command.commands[words[1]]
        if isinstance(command, cli.Command):
            for path in filter(None, (command.function, command.parser)):
                assert callable(cli._imported(path))
