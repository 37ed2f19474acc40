"""A user sees this package's output, not TensorFlow's."""

import os
import subprocess
import sys

import pytest


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
