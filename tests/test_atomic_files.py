"""Atomic writes of files and folders."""

import errno
import json
import os

import pytest

from pix2seq_keras.atomic_files import (
    FolderTakenError,
    atomic_folder,
    atomic_write,
    require_writable_folder,
    write_json,
)
from pix2seq_keras.errors import InputError


def test_a_file_is_replaced_only_if_the_block_ends_without_an_error(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write("half of the new")
        assert path.read_text() == "old"
        raise ZeroDivisionError
    assert path.read_text() == "old"
    with atomic_write(path, "wb") as file:
        file.write(b"new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_raises_an_input_error_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    message = r"file cannot be written: No space left on device\. Choose"
    with pytest.raises(InputError, match=message), atomic_write(path) as file:
        file.write("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_is_indented(tmp_path):
    write_json(tmp_path / "a.json", {"a": [1]})
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"a": [1]} and text.count("\n") > 2


@pytest.mark.parametrize("name", ["missing/a.json", "folder"])
def test_the_error_names_the_path_that_cannot_be_written(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=name):
        write_json(tmp_path / name, {})


def test_a_folder_below_a_file_raises_an_input_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"Not a directory|File exists"):
        require_writable_folder(tmp_path / "file" / "folder")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_folder_is_replaced_only_if_the_block_ends_without_an_error(tmp_path, error):
    path = tmp_path / "deep" / "folder"
    with atomic_folder(path) as folder:
        (folder / "old").touch()
    with (
        pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt),
        atomic_folder(path) as folder,
    ):
        (folder / "half").touch()
        raise error
    assert [entry.name for entry in path.iterdir()] == ["old"]
    with atomic_folder(path) as folder:
        (folder / "new").touch()
    assert [entry.name for entry in path.iterdir()] == ["new"]
    assert [entry.name for entry in path.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")])
def test_the_old_folder_is_restored_if_the_new_one_cannot_replace_it(tmp_path, monkeypatch, error):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    rename = type(path).rename

    def fail(self, target):
        if (self / "new").exists():
            raise error
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", fail)
    with (
        pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt),
        atomic_folder(path) as folder,
    ):
        (folder / "new").touch()
    assert [entry.name for entry in path.iterdir()] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_parents_that_were_made_are_removed_after_an_error_and_others_stay(tmp_path):
    (tmp_path / "old").mkdir()
    for path in (tmp_path / "a" / "b" / "c", tmp_path / "old" / "new" / "c"):
        with pytest.raises(KeyboardInterrupt), atomic_folder(path):
            raise KeyboardInterrupt
    assert [entry.name for entry in tmp_path.rglob("*")] == ["old"]


def test_parents_that_another_process_uses_meanwhile_stay(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "other").touch()
        raise KeyboardInterrupt
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["other"]


def test_a_folder_that_came_to_be_there_meanwhile_is_not_replaced(tmp_path):
    with (
        pytest.raises(FolderTakenError, match="was just made by another process"),
        atomic_folder(tmp_path / "a", False),
    ):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "other").touch()
    assert [entry.name for entry in tmp_path.rglob("*")] == ["a", "other"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127])
def test_a_name_as_long_as_a_file_system_takes_can_be_written(tmp_path, name):
    write_json(tmp_path / name, {})
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
