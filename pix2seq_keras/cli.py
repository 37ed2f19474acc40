"""The `pix2seq` command. A command's flags are derived from a typed function, or from the recipe's dataclasses.

Only the module of the command that is asked for is imported, and that imports TensorFlow when its work begins.
"""

import dataclasses
import importlib
import sys
import traceback

import jsonargparse

import pix2seq_keras
from pix2seq_keras.data import formats
from pix2seq_keras.errors import InputError
from pix2seq_keras.terminal import accept_all_characters, said_safely, say


@dataclasses.dataclass(frozen=True)
class Command:
    """A command, by the names of what is imported when it is asked for.

    Args:
        help: one line for the list of commands.
        function: "module.function" in `pix2seq_keras.commands`, which runs the command. Its typed arguments are the
            flags, and its docstring their help.
        positional: dict of argument to help, the arguments that are given without a flag.
        parser: "module.function" that makes the parser, where the flags are a recipe's. `function` is then called with
            the parsed options.
        decoding: bool, whether the fields of `DecodingOptions` are flags too; `function` takes those that were given as
            its argument `decoding`.
    """

    help: str
    function: str
    positional: dict = dataclasses.field(default_factory=dict)
    parser: str | None = None
    decoding: bool = False


@dataclasses.dataclass(frozen=True)
class Group:
    """A command that has commands of its own.

    Args:
        help: one line for the list of commands.
        commands: dict of name to `Command`.
    """

    help: str
    commands: dict


_SOURCE = {"source": f"one of {formats.source_forms()}"}
_IMAGES = {"images": "images, or folders of images"}
COMMANDS = {
    "train": Command("Train a model by a recipe.", "train.run", parser="train.parser"),
    "evaluate": Command("Score a model on a split.", "evaluate.run", decoding=True),
    "predict": Command("Detect objects in images.", "predict.predict", _IMAGES, decoding=True),
    "export": Command("Write a model for TensorFlow Serving or for devices.", "export.export", decoding=True),
    "convert": Command("Convert a published checkpoint to a .keras file.", "convert.convert"),
    "serve": Command("Serve a SavedModel over gRPC and REST, for trials.", "serve.serve"),
    "benchmark": Group(
        "Measure time and memory.",
        {
            "annotations": Command("Data with many objects on an image.", "benchmark.annotations"),
            "conversion": Command("Conversion of a checkpoint.", "benchmark.conversion"),
            "export": Command("Export of a model, and the exported model.", "benchmark.export"),
            "generation": Command("Generation of token sequences.", "benchmark.generation"),
            "pipeline": Command("Preparation of training images.", "benchmark.pipeline"),
        },
    ),
    "data": Group(
        "Check data before training, or write it in another format.",
        {
            "check": Command("Report what a source holds, and every issue in it.", "data.check", _SOURCE),
            "convert": Command(f"Write a source as {', '.join(formats.writable_formats())}.", "data.convert", _SOURCE),
            "preview": Command(
                "Draw the images that a training run would see.", "data.run_preview", parser="data.preview_parser"
            ),
        },
    ),
}
_RESUME_HINTS = {
    "train": "--resume continues the run.",
    "predict": "--resume skips the images that are done.",
}
_DEBUG = "--debug"
_DEBUG_HELP = "show the traceback of an error; may stand anywhere"
_MAX_REASON = 300  # characters of an error that nobody foresaw
_SWITCHES = {  # flags without a value
    "strict": "exit with status 1 if there is any issue",
    "resume": "skip the images that an earlier run into the same output has done; the JSON keeps them",
}


def main(arguments=None):
    """Runs the command.

    Args:
        arguments: list of str, or `None` for the process's own.

    Returns:
        int, the exit status: 0; 2 where the input cannot be used; 1 after an error that nobody foresaw; 130 after an
        interruption; or what the command itself returns.
    """
    accept_all_characters()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = _DEBUG in arguments  # it may stand anywhere
    arguments = [argument for argument in arguments if argument != _DEBUG]
    try:
        return _run(arguments)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        return _report(error, arguments)


def _report(error, arguments):
    """Prints one sentence about what ended the command. Returns the exit status."""
    status = 2
    if isinstance(error, InputError):
        sentence = str(error)
    elif isinstance(error, OSError):  # such as a full disk: a traceback does not help
        where = f" ({error.filename})" if error.filename else ""
        sentence = f"a file could not be read or written: {error.strerror or error}{where}."
    elif isinstance(error, KeyboardInterrupt):
        status = 130
        sentence = " ".join(["stopped.", *(hint for name, hint in _RESUME_HINTS.items() if arguments[:1] == [name])])
    else:
        status = 1
        what = " ".join(str(error).split())[:_MAX_REASON]
        what = f"{type(error).__name__}: {what}" if what else type(error).__name__
        sentence = f"an unexpected error ended the command: {what}\nRun it again with {_DEBUG} to see where."
    say(f"pix2seq: {sentence}", error=True)
    return status


def _run(arguments):
    """Runs the command that the arguments name: int, the exit status."""
    names, command = _requested(arguments)
    if command is None:
        _overview(names).parse_args(arguments[len(names) :])  # prints help or an error, and ends the process
    parser = _imported(command.parser)() if command.parser else _flags(command)
    _list_sources(parser)
    parser.prog = " ".join(["pix2seq", *names])
    parser.epilog = f"{_DEBUG}: {_DEBUG_HELP}."
    with said_safely():  # its errors quote values of recipes
        options = parser.parse_args(_normalized(command, arguments[len(names) :]))
    function = _imported(command.function)
    if command.parser:
        return function(options) or 0
    values = options.as_dict()
    if command.decoding:
        values["decoding"] = _imported("decoding_options.pop_given")(values)
    return function(**values) or 0


def _requested(arguments):
    """The words that name a command, such as ["data", "check"], and the `Command`; `None` where it is incomplete."""
    names, level = [], COMMANDS
    for word in arguments:
        if word not in level:
            break
        names.append(word)
        if isinstance(level[word], Command):
            return names, level[word]
        level = level[word].commands
    return names, None


def _overview(names):
    """The parser that lists all commands, or those of the group `names`; none of them has its flags."""
    group = COMMANDS[names[0]] if names else Group("Object detection as language modelling.", COMMANDS)
    parser = jsonargparse.ArgumentParser(prog=" ".join(["pix2seq", *names]), description=group.help)
    if not names:
        parser.add_argument("--version", action="version", version=f"pix2seq {pix2seq_keras.__version__}")
        parser.add_argument(_DEBUG, action="store_true", help=_DEBUG_HELP)
    added = parser.add_subcommands(dest="command", required=True)
    for name, command in group.commands.items():
        added.add_subcommand(name, jsonargparse.ArgumentParser(), help=command.help)
    return parser


def _flags(command):
    """The parser of a typed function."""
    function = _imported(command.function)
    parser = jsonargparse.ArgumentParser(description=function.__doc__.split("\n")[0])
    for argument, help_ in command.positional.items():
        many = {"nargs": "+"} if function.__annotations__[argument] == list[str] else {}
        parser.add_argument(argument, type=str, help=help_, **many)
    switches = {name: help_ for name, help_ in _SWITCHES.items() if name in function.__annotations__}
    for switch, help_ in switches.items():
        parser.add_argument(f"--{switch}", action="store_true", help=help_)
    skip = {*command.positional, *switches, *(["decoding"] if command.decoding else [])}
    parser.add_function_arguments(function, as_group=False, as_positional=False, skip=skip)
    if command.decoding:
        _imported("decoding_options.add_flags")(parser)
    return parser


def _list_sources(parser):
    """Completes the help of the flags for a data source by the table of formats."""
    for action in parser._actions:
        if action.dest in ("data", "data.source"):
            action.help = f"{action.help}; one of {formats.source_forms()}"


def _normalized(command, arguments):
    """`--batch-size` stands for `--batch_size` everywhere; for a recipe's flags see `train.expand_arguments`."""
    arguments = [_with_underscores(argument) for argument in arguments]
    return _imported("train.expand_arguments")(arguments) if command.parser else arguments


def _with_underscores(argument):
    flag, equals, value = argument.partition("=")
    return flag[:2] + flag[2:].replace("-", "_") + equals + value if flag.startswith("--") else argument


def _imported(path):
    """The function that "module.function" names."""
    module, _, name = path.partition(".")
    return getattr(importlib.import_module(f"pix2seq_keras.commands.{module}"), name)


if __name__ == "__main__":
    raise SystemExit(main())
