import os

import pytest

from pix2seq_keras.data.sources.annotation_files import read_annotation_file, read_text
from pix2seq_keras.errors import InputError


def test_text_is_read_without_a_byte_order_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfK\xc3\xa4fer")

    assert read_text(tmp_path / "a.txt", max_bytes=100) == "Käfer"


def test_missing_large_and_irregular_files_are_refused(tmp_path):
    (tmp_path / "large.txt").write_bytes(b"x" * 11)
    (tmp_path / "latin.txt").write_bytes(b"\xe4")
    os.mkfifo(tmp_path / "pipe")

    for name, message in (
        ("gone.txt", "cannot be read"),
        ("large.txt", "must have at most"),
        ("pipe", "must be a regular file"),
        ("nul\0.txt", "not a valid file name"),
    ):
        with pytest.raises(InputError, match=message):
            read_annotation_file(tmp_path / name, max_bytes=10)
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_text(tmp_path / "latin.txt", max_bytes=10)
