"""On Keras's JAX backend the network gives the numbers of the published implementation too."""

import os
import subprocess
import sys

import pytest

from pix2seq_keras.models import published
from pix2seq_keras.models.saving import save_model

CHECK = """
import sys
import jax
import keras
import numpy as np
from pix2seq_keras.inference import open_model
assert keras.backend.backend() == "jax"
for path, numbers in zip(sys.argv[1::2], sys.argv[2::2]):
    golden, model = np.load(numbers), open_model(path)
    images, tokens = golden["image"], golden["input_seq"]
    encoded, logits = jax.jit(lambda: (model.encode(images), model({"images": images, "tokens": tokens})))()
    print(np.abs(encoded - golden["encoded"]).max(), np.abs(logits - golden["logits"]).max())
"""


def test_the_jax_backend_gives_the_published_numbers(shared_dir, tmp_path):
    pytest.importorskip("jax", reason="the extra [jax] is not installed")
    arguments = []
    for name in ("vit", "resnet", "resnet_c4"):
        folder = shared_dir / "reference" / name
        save_model(published.from_checkpoint(folder), tmp_path / f"{name}.keras")
        arguments += [str(tmp_path / f"{name}.keras"), str(folder / "golden.npz")]

    run = subprocess.run(
        [sys.executable, "-c", CHECK, *arguments],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    differences = [float(number) for number in run.stdout.split()]
    assert len(differences) == 6 and max(differences) < 1e-4
