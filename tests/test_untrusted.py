"""Hostile JSON, YAML and zip files end in a sentence, and never in a value that fills the memory."""

import json
import os
import struct
import zipfile

import pytest

from pix2seq_keras import untrusted
from pix2seq_keras.errors import InputError

DEEP = untrusted.MAX_DEPTH + 1
LAUGHS = "\n".join(
    ["a: &a [x, x]", *(f"{new}: &{new} [{'*' + old + ', *' + old}]" for old, new in zip("abcd", "bcde", strict=True))]
)


def test_plain_documents_are_parsed():
    document = {"a": [1, -2.5, True, None, "é"], "b": {"c": []}}
    assert untrusted.parse_json(json.dumps(document).encode(), "x") == document
    assert untrusted.parse_yaml("a: [1, -2.5, true, null, é]\nb: {c: []}\n", "x") == document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x is empty"),
        ("{", "x is not JSON, or is truncated"),
        (b"\xff\xfe\xfd", "x cannot be parsed as JSON"),
        (7, "x cannot be parsed as JSON"),
        ("[" * 100_000, "x cannot be parsed as JSON"),
        ("[" * DEEP + "]" * DEEP, "x must have at most 100 levels"),
        ('{"a":' * DEEP + "1" + "}" * DEEP, "x must have at most 100 levels"),
        ('{"a": Infinity}', "x must hold finite numbers only"),
        ("[NaN]", "x must hold finite numbers only"),
        ("[1e999]", "x must hold finite numbers only"),
        (f"[{2**63}]", "x must hold whole numbers of at most 64 bits"),
        ("9" * 5000, "x cannot be parsed as JSON"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "x gives the key 'c' twice"),
    ],
)
def test_json_that_no_file_of_ours_holds_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        untrusted.parse_json(text, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, r"aliases \(\*name\) are not allowed"),
        ("a: &a {b: *a}", "aliases"),
        ("a: [", "cannot be parsed as YAML"),
        ("\0", "cannot be parsed as YAML"),
        (b"\xff\xfe\xfd", "cannot be parsed as YAML"),
        ("[" * 5000, "more than 100 levels"),
        ("? " * 5000, "cannot be parsed as YAML"),
        ("a: !!python/object/apply:os.system [ls]", "cannot be parsed as YAML"),
        ("a: !!int x", "cannot be parsed as YAML"),
        ("a: 2001-99-99", "cannot be parsed as YAML"),
        ("a: .inf", "finite numbers only"),
        (f"a: {10**30}", "at most 64 bits"),
        ("a: 2001-01-01", "must hold text, numbers, lists and mappings"),
        ("a: 1\nb: 2\na: 3", "the key 'a' is given twice"),
    ],
)
def test_yaml_that_no_file_of_ours_holds_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        untrusted.parse_yaml(text, "x")


def test_large_files_whose_values_are_checked_elsewhere_may_hold_others():
    assert untrusted.parse_json('{"a": 1, "a": 1e999}', "x", strict=False) == {"a": float("inf")}
    assert untrusted.parse_yaml("{a: 1, a: .inf}", "x", strict=False) == {"a": float("inf")}
    pop = lambda record: {key: value for key, value in record.items() if key != "drop"}
    assert untrusted.parse_json('[{"drop": 1, "keep": 2}]', "x", strict=False, object_hook=pop) == [{"keep": 2}]
    with pytest.raises(InputError, match="aliases"):
        untrusted.parse_yaml(LAUGHS, "x", strict=False)


def test_files_are_read_up_to_a_bound(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    os.mkfifo(tmp_path / "pipe")
    assert untrusted.read_file(tmp_path / "a", 5) == b"12345"
    for name, message in (("a", "A file of this kind must have at most"), ("pipe", "regular"), ("gone", "cannot be")):
        with pytest.raises(InputError, match=message):
            untrusted.read_file(tmp_path / name, 4)


def test_a_member_of_a_zip_is_read_up_to_a_bound_whatever_size_it_states(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"0" * 1_000_000)
        archive.writestr("b", b"0" * 10)
    content = path.read_bytes()
    # Both places that state the size of the member, 1,000,000, state 100 in the second file.
    (tmp_path / "lie.zip").write_bytes(content.replace(struct.pack("<I", 1_000_000), struct.pack("<I", 100)))

    with zipfile.ZipFile(path) as archive:
        assert untrusted.read_member(archive, "b", 10) == b"0" * 10
        for name, most in (("a", 999_999), ("b", 9)):
            with pytest.raises(InputError, match="is too large"):
                untrusted.read_member(archive, name, most)
    with zipfile.ZipFile(tmp_path / "lie.zip") as archive, pytest.raises((InputError, zipfile.BadZipFile)):
        untrusted.read_member(archive, "a", 1000)
