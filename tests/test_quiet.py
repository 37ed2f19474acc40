"""A user sees this package's output, not TensorFlow's."""

import os
import subprocess
import sys


def test_importing_the_package_prints_nothing():
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = "import pix2seq_keras, tensorflow as tf; tf.constant(1) + 1"
    run = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
