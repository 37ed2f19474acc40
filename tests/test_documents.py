"""The documents agree with the code: links lead to files, named files exist, commands have the flags they are given."""

import contextlib
import functools
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from pix2seq_keras.cli import COMMANDS, Group, main
from pix2seq_keras.commands.train import SHORT_FLAGS

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted(path for folder in (".", "docs", "export/*") for path in REPOSITORY.glob(f"{folder}/*.md"))
NOTEBOOKS = sorted(REPOSITORY.glob("notebooks/*.ipynb"))
RECIPES = sorted(REPOSITORY.glob("pix2seq_keras/recipes/*.yaml"))
MAX_LENGTH = 120
OLD_NAMES = ("CHANGELOG.md",)  # names flags that are gone


def identifier(path):
    return path.relative_to(REPOSITORY).as_posix()


def text_of(path):
    """The text of a page or a recipe, or the sources of a notebook's cells."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def commands(text):
    """The `pix2seq` commands in a text: lists of words, from the command's name on."""
    text = text.replace("\\\n", " ").replace("{python} -m pix2seq_keras", "pix2seq")
    found = re.findall(r"(?:^|[`!(;&]|&&|\| |#)[ ]*pix2seq ([a-z][^`\n]*)", text, re.MULTILINE)
    for line in found:
        words = shlex.shlex(line, posix=True, punctuation_chars=";&|>()")
        words.whitespace_split = True
        with contextlib.suppress(ValueError):  # an apostrophe in prose
            yield _until_shell(list(words))


def _until_shell(words):
    """The words of the first command of a line."""
    for index, word in enumerate(words):
        if word in (";", "&", "&&", "|", ">", "2", ")") or word.startswith(("2>", ">")):
            return words[:index]
    return words


def command_name(words):
    """The words that name the command: ["data", "check"]."""
    entry = COMMANDS.get(words[0])
    return words[:2] if isinstance(entry, Group) else words[:1]


@functools.cache
def flags(*name):
    """The flags of a command, as its help lists them."""
    with contextlib.redirect_stdout(io.StringIO()) as output, pytest.raises(SystemExit):
        main([*name, "--help"])
    short = SHORT_FLAGS if name in (("train",), ("data", "preview")) else ()
    return {*re.findall(r"--[\w.]+", output.getvalue()), *short}


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=identifier)
def test_every_relative_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(page))
    relative = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert not [link for link in relative if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=identifier)
def test_lines_of_prose_have_at_most_120_characters(page):
    lines = [line for line in text_of(page).splitlines() if not line.lstrip().startswith("|")]
    assert not [line for line in lines if len(line) > MAX_LENGTH]


def test_every_file_that_the_architecture_page_names_exists():
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    quoted = re.findall(r"`(\w[\w.]*/[\w./]*)`", text)
    named = [path for path in quoted if "NAME" not in path and "room/" not in path]
    roots = (REPOSITORY, REPOSITORY / "pix2seq_keras", REPOSITORY / "pix2seq_keras/reports")
    missing = [path for path in named if not any((root / path).exists() for root in roots)]
    assert len(named) > 50
    assert not missing


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS, *RECIPES], ids=identifier)
def test_every_command_has_the_flags_it_is_given(page):
    if page.name in OLD_NAMES:
        pytest.skip("lists old names")
    for words in commands(text_of(page)):
        name = command_name(words)
        entry = COMMANDS.get(name[0])
        assert entry is not None, f"there is no command {' '.join(words)}"
        if isinstance(entry, Group) and (len(name) < 2 or name[1] not in entry.commands):
            assert len(name) < 2 or name[1] in ("…", "..."), f"there is no command {' '.join(name)}"
            continue
        given = {word.partition("=")[0] for word in words if word.startswith("--") and len(word) > 2}
        given = {flag.replace("-", "_").replace("__", "--", 1) for flag in given}
        assert not given - flags(*name) - {"--help"}, f"pix2seq {' '.join(words)}"


def test_the_search_for_commands_finds_them():
    readme = list(commands(text_of(REPOSITORY / "README.md")))
    assert len(readme) >= 9
    assert ["train", "--recipe", "bccd", "--data.source", "coco:DIR", "--output", "runs/mine"] in readme
    notebook = list(commands(text_of(REPOSITORY / "notebooks/02_your_own_data.ipynb")))
    assert ["data", "preview", "--recipe", "cells.yaml", "--output", "preview.png", "--count", "4"] in notebook
