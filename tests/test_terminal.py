"""Text from data on a terminal: nothing controls it, and no character ends the program."""

import io
import sys

import pytest

from pix2seq_keras.terminal import accept_all_characters, one_line, printable, printable_lines, said_safely, say


def test_text_becomes_printable():
    assert printable("a\nb\x07é\udcff") == "a\\nb\\x07é\\udcff"
    assert len(printable("x" * 1000, 50)) == 50


def test_lines_are_kept_and_very_long_ones_are_cut():
    assert printable_lines("a\x1b[31m\nb\r\n") == "a\\x1b[31m\nb\\r\n"
    assert len(printable_lines("x" * 2_000_000)) == 10_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("red\n\t blood\ncell", "red blood cell"),
        ("\x1b[2Jcell", "\\x1b[2Jcell"),
        ("x" * 2_000_000, "x" * 19 + "…"),
        ("a" + " " * 2_000_000 + "b", "a…"),
        ("", ""),
        (7, "7"),
    ],
)
def test_a_name_becomes_one_short_line(text, line):
    assert one_line(text, 20) == line


def test_what_is_said_does_not_control_the_terminal(capsys):
    say("one\x1b[2J\ntwo")
    say("wrong\x9b", error=True)
    assert capsys.readouterr() == ("one\\x1b[2J\ntwo\n", "wrong\\x9b\n")


def test_what_a_library_writes_is_said_also_if_it_ends_the_process(capsys):
    with pytest.raises(SystemExit), said_safely():
        sys.stderr.write("usage: …\nerror: no '\x1b[2J'\n")
        raise SystemExit(2)
    assert capsys.readouterr().err == "usage: …\nerror: no '\\x1b[2J'\n"


@pytest.mark.parametrize(
    ("encoding", "written"), [("ascii", rb"\u732b \udcff"), ("utf-8", "猫 ".encode() + rb"\udcff")]
)
def test_a_character_that_the_encoding_lacks_is_escaped(monkeypatch, encoding, written):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])

    accept_all_characters()

    for stream in streams:
        stream.write("猫 \udcff")
        stream.flush()
        assert stream.buffer.getvalue() == written


def test_streams_of_other_kinds_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())

    accept_all_characters()

    assert sys.stdout is None
