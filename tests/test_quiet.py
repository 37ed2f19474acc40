"""A user sees this package's output, not TensorFlow's."""

import os
import subprocess
import sys

import pytest

from pix2seq_keras import quiet


@pytest.mark.parametrize(
    "statements",
    [
        "import pix2seq_keras, tensorflow as tf; tf.constant(1) + 1",
        "import pix2seq_keras, keras; keras.ops.ones(1)",
        "from pix2seq_keras.layers.mlp import MLP; import keras; MLP(4)(keras.ops.ones((1, 4)))",
    ],
)
def test_the_import_of_tensorflow_prints_nothing(statements):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-c", statements]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_failing_import_shows_what_was_written(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'the reason\\n')\nraise ImportError('no library')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", "import pix2seq_keras, tensorflow"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("the reason\n") and run.stderr.endswith("ImportError: no library\n")


WITHOUT_TEMPORARY_FOLDER = """
import os, tempfile


def refuse(*arguments, **named):
    raise FileNotFoundError(2, "No usable temporary directory found")


tempfile._get_default_tempdir = refuse
if hasattr(os, "memfd_create"):
    os.memfd_create = {memfd_create}
"""


@pytest.mark.parametrize("memfd_create", ["os.memfd_create", "refuse"])
def test_tensorflow_is_imported_without_a_temporary_folder(tmp_path, memfd_create):
    # Not by permissions: the tests may run as root, who can write everywhere.
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_TEMPORARY_FOLDER.format(memfd_create=memfd_create))
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path / "missing")}
    command = [sys.executable, "-c", "import pix2seq_keras.quiet, tensorflow as tf; print(int(tf.constant(1) + 1))"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "2\n"), run.stderr


@pytest.mark.parametrize("has_memory", [True, False])
def test_standard_error_is_kept_in_memory_or_in_the_temporary_folder_or_shown(monkeypatch, capfd, has_memory):
    if not has_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with pytest.raises(ImportError), quiet._redirected_standard_error():
        os.write(2, b"the reason\n")
        assert capfd.readouterr().err == ""
        raise ImportError
    assert capfd.readouterr().err == "the reason\n"  # an error shows what was kept

    monkeypatch.setattr(quiet, "_file_in_memory", refuse)
    monkeypatch.setattr(quiet.tempfile, "TemporaryFile", refuse)
    with quiet._redirected_standard_error():
        os.write(2, b"shown\n")
    assert capfd.readouterr().err == "shown\n"


def refuse(*arguments, **named):
    raise OSError("no space left on device")


def test_a_temporary_folder_that_python_does_not_find_gets_a_name(monkeypatch):
    monkeypatch.setattr(quiet.tempfile, "tempdir", None)
    monkeypatch.setattr(quiet.tempfile, "_get_default_tempdir", refuse)

    quiet._require_temporary_folder()

    assert quiet.tempfile.gettempdir() in ("/dev/shm", "/tmp")
