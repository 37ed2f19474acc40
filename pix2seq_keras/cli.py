"""The `pix2seq` command: its flags are derived from typed functions and the recipe's dataclasses."""

import sys

import jsonargparse

from pix2seq_keras.commands import benchmark, data, train
from pix2seq_keras.commands.convert import convert
from pix2seq_keras.commands.evaluate import evaluate
from pix2seq_keras.commands.export import export
from pix2seq_keras.commands.predict import predict
from pix2seq_keras.commands.serve import serve
from pix2seq_keras.errors import InputError

# Name -> function and help; the arguments named last are given without a flag.
COMMANDS = {
    "evaluate": (evaluate, "Score a model on a split."),
    "predict": (predict, "Find objects in images.", {"images": "images, or folders of them"}),
    "export": (export, "Write a model for TensorFlow Serving or for devices."),
    "convert": (convert, "Turn a published checkpoint into a .keras file."),
    "serve": (serve, "Serve a SavedModel over gRPC and REST, for trying out."),
}
_SWITCHES = {"strict": "exit with status 1 if anything is irregular"}  # flags that take no value
_SOURCE = {"source": "such as coco:DIR, voc:DIR, yolo:data.yaml or tfds:NAME"}
# Commands that have commands of their own.
GROUPS = {
    "benchmark": (
        "Measure time and memory, side by side in one run.",
        {
            "conversion": (benchmark.conversion, "Converting a checkpoint."),
            "export": (benchmark.export, "Exporting a model, and the exported model."),
            "generation": (benchmark.generation, "Reading images out."),
            "pipeline": (benchmark.pipeline, "Preparing training images."),
        },
    ),
    "data": (
        "Look at data before training, or write it in another format.",
        {
            "check": (data.check, "What a source holds, and every issue.", _SOURCE),
            "convert": (data.convert, "Write a source as COCO, VOC, YOLO or TFRecord.", _SOURCE),
        },
    ),
}


def main(arguments=None):
    """Runs the command.

    Args:
        arguments: list of str, or `None` for the process's own.

    Returns:
        int, the exit status: 0, or 2 where the input cannot be used, or what the command itself returns.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        chosen = _parser().parse_args(_in_the_parsers_words(arguments))
        options = chosen[chosen.command]
        if chosen.command == "train":
            train.run(options)
            return 0
        function = COMMANDS.get(chosen.command, (None,))[0]
        if function is None:
            name = options[chosen.command]
            if name == "preview":
                data.run_preview(options[name])
                return 0
            function, options = GROUPS[chosen.command][1][name][0], options[name]
        return function(**options.as_dict()) or 0
    except InputError as error:
        print(f"pix2seq: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a file taken away: wherever it was met, no traceback helps
        where = f" ({error.filename})" if error.filename else ""
        print(f"pix2seq: a file could not be read or written: {error.strerror or error}{where}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = " --resume continues the run from its last whole epoch." if arguments[0] == "train" else ""
        print(f"pix2seq: stopped.{hint}", file=sys.stderr)
        return 130


def _parser():
    parser = jsonargparse.ArgumentParser(prog="pix2seq", description="Object detection as language modelling.")
    commands = parser.add_subcommands(dest="command", required=True)
    commands.add_subcommand("train", train.parser(), help="Train a model by a recipe.")
    _add(commands, COMMANDS)
    for name, (what, members) in GROUPS.items():
        group = jsonargparse.ArgumentParser(description=what)
        commands.add_subcommand(name, group, help=what)
        inner = group.add_subcommands(dest=name, required=True)
        _add(inner, members)
        if name == "data":  # its flags are a recipe's, like those of train
            inner.add_subcommand("preview", data.preview_parser(), help="Draw what a training run would see.")
    return parser


def _add(commands, members):
    for name, (function, what, *positional) in members.items():
        parser, without_flag = jsonargparse.ArgumentParser(description=function.__doc__.split("\n")[0]), {}
        for without_flag in positional:
            for argument, help_ in without_flag.items():
                many = function.__annotations__[argument] == list[str]
                parser.add_argument(argument, type=str, help=help_, **({"nargs": "+"} if many else {}))
        switches = {name: help_ for name, help_ in _SWITCHES.items() if name in function.__annotations__}
        for switch, help_ in switches.items():
            parser.add_argument(f"--{switch}", action="store_true", help=help_)
        skip = {*without_flag, *switches}
        parser.add_function_arguments(function, as_group=False, as_positional=False, skip=skip)
        commands.add_subcommand(name, parser, help=what)


def _in_the_parsers_words(arguments):
    """`--batch-size` stands for `--batch_size` everywhere; see also `train.in_the_parsers_words`."""
    arguments = [_with_underscores(argument) for argument in arguments]
    if arguments[:1] == ["train"]:
        return ["train", *train.in_the_parsers_words(arguments[1:])]
    if arguments[:2] == ["data", "preview"]:
        return ["data", "preview", *train.in_the_parsers_words(arguments[2:])]
    return arguments


def _with_underscores(argument):
    flag, equals, value = argument.partition("=")
    return flag[:2] + flag[2:].replace("-", "_") + equals + value if flag.startswith("--") else argument


if __name__ == "__main__":
    raise SystemExit(main())
