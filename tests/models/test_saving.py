"""Model files are complete or absent, and hold no optimizer state."""

import pathlib
import zipfile

import h5py
import keras
import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.models.saving import save_model, save_weights


@pytest.fixture(scope="module")
def trained(build_tiny_model):
    """A compiled model whose optimizer has state."""
    model = build_tiny_model(6)
    model.compile(keras.optimizers.AdamW(1e-4))
    model.optimizer.build(model.trainable_variables)
    return model


def stored_groups(path):
    """The top-level groups of the weights inside a `.keras` file."""
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as weights, h5py.File(weights) as file:
        return set(file)


def test_a_file_holds_the_model_without_its_optimizer(trained, tiny_images, tmp_path):
    save_model(trained, tmp_path / "runs" / "best.keras")

    loaded = keras.saving.load_model(tmp_path / "runs" / "best.keras", safe_mode=True)
    inputs = {"images": tiny_images[:1], "tokens": np.array([[1, 8, 9]])}
    np.testing.assert_allclose(loaded(inputs), trained(inputs), atol=1e-5)
    assert getattr(loaded, "optimizer", None) is None
    assert "optimizer" not in stored_groups(tmp_path / "runs" / "best.keras")
    trained.save(tmp_path / "with.keras")
    assert "optimizer" in stored_groups(tmp_path / "with.keras")  # the check can fail
    assert [entry.name for entry in (tmp_path / "runs").iterdir()] == ["best.keras"]


def test_the_file_has_the_same_entries_as_one_that_keras_writes(build_tiny_model, tmp_path):
    model = build_tiny_model(6)

    save_model(model, tmp_path / "ours.keras")
    model.save(tmp_path / "keras.keras")

    with zipfile.ZipFile(tmp_path / "ours.keras") as ours, zipfile.ZipFile(tmp_path / "keras.keras") as theirs:
        assert sorted(ours.namelist()) == sorted(theirs.namelist())
        assert ours.read("config.json") == theirs.read("config.json")


def test_saving_does_not_change_the_model(trained, tmp_path):
    optimizer = trained.optimizer

    save_model(trained, tmp_path / "model.keras")

    assert trained.optimizer is optimizer
    assert trained.compiled


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file(trained, tmp_path, monkeypatch, error):
    path = tmp_path / "model.keras"
    path.write_bytes(b"the old model")

    def fail(model, filepath, *args, **kwargs):
        (pathlib.Path(filepath) / "model.weights.h5").write_bytes(b"half a mod")
        raise error

    monkeypatch.setattr(keras.saving, "save_model", fail)

    with pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt):
        save_model(trained, path)
    assert path.read_bytes() == b"the old model"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_path_is_reported(trained, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"model.keras cannot be written"):
        save_model(trained, tmp_path / "file" / "model.keras")


def test_a_weights_file_holds_the_weights_without_the_optimizer(trained, build_tiny_model, tmp_path):
    save_weights(trained, tmp_path / "new" / "a.weights.h5")

    model = build_tiny_model(7)
    model.load_weights(tmp_path / "new" / "a.weights.h5")
    for one, other in zip(model.weights, trained.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    with h5py.File(tmp_path / "new" / "a.weights.h5") as file:
        assert "optimizer" not in file
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["a.weights.h5"]


def test_a_failure_leaves_the_old_weights_file(trained, tmp_path, monkeypatch):
    path = tmp_path / "a.weights.h5"
    path.write_bytes(b"the old weights")

    def fail(model, filepath, *args, **kwargs):
        filepath.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(trained), "save_weights", fail)

    with pytest.raises(InputError, match=r"a\.weights\.h5 cannot be written: No space left on device"):
        save_weights(trained, path)
    assert path.read_bytes() == b"the old weights"
    assert list(tmp_path.iterdir()) == [path]
