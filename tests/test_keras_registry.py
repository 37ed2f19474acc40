"""Keras opens saved models after `import pix2seq_keras` alone."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np

import pix2seq_keras
from pix2seq_keras.keras_registry import REGISTERED

LOAD = """
import sys
import pix2seq_keras
assert "keras" not in sys.modules
import keras, numpy
assert "pix2seq_keras.models.pix2seq" not in sys.modules
model = keras.saving.load_model(sys.argv[1])
inputs = dict(numpy.load(sys.argv[2]))
numpy.save(sys.argv[3], model(inputs))
assert type(model) is pix2seq_keras.Pix2Seq
assert type(model.optimizer._learning_rate).__name__ == "WarmupSchedule"
assert keras.saving.get_registered_object("pix2seq_keras>Pix2Seq") is pix2seq_keras.Pix2Seq
"""


def test_keras_loads_a_compiled_model_in_a_process_that_only_imported_the_package(
    build_tiny_model, tiny_images, tmp_path
):
    import keras

    from pix2seq_keras.training import WarmupSchedule

    model = build_tiny_model(seed=1)
    model.compile(keras.optimizers.AdamW(WarmupSchedule(1e-3, 2, 10)))
    model.save(tmp_path / "model.keras")
    inputs = {"images": tiny_images[:2], "tokens": np.tile(np.int32([1, 4, 5, 6, 7]), (2, 1))}
    np.savez(tmp_path / "inputs.npz", **inputs)
    paths = [str(tmp_path / name) for name in ("model.keras", "inputs.npz", "logits.npy")]
    run = subprocess.run([sys.executable, "-c", LOAD, *paths], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose(np.load(paths[2]), model(inputs), rtol=1e-5, atol=1e-5)


def test_every_registered_class_is_listed_with_its_module():
    root = Path(pix2seq_keras.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        module = ".".join([root.name, *path.relative_to(root).with_suffix("").parts])
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
            if any("register_keras_serializable" in decorator for decorator in decorators):
                found.setdefault(module, []).append(node.name)
    assert {module: sorted(names) for module, names in REGISTERED.items()} == {
        module: sorted(names) for module, names in found.items()
    }
