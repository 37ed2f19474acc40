"""The SHA-256 of weights files."""

import hashlib

import h5py
import numpy as np
import pytest

from pix2seq_keras.presets.weights_digest import DIGEST, check_seal, file_digest, seal


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/b/vars/0"] = np.arange(6, dtype=np.float32).reshape(2, 3)
        file["layers/a/vars/0"] = np.float32(2.0)
    return path


def test_a_sealed_file_passes_and_a_file_without_a_seal_too(path):
    check_seal(path)
    seal(path)
    check_seal(path)

    with h5py.File(path) as file:
        assert len(file.attrs[DIGEST]) == 64


@pytest.mark.parametrize("change", ["number", "shape", "dtype", "name", "another"])
def test_every_change_of_the_arrays_is_found(path, change):
    seal(path)
    with h5py.File(path, "r+") as file:
        values = file["layers/b/vars/0"][()]
        if change == "number":
            file["layers/b/vars/0"][1, 2] = 5.0000005
        elif change == "another":
            file["layers/c"] = values
        else:
            del file["layers/b/vars/0"]
            name = "layers/b/vars/1" if change == "name" else "layers/b/vars/0"
            values = values.reshape(3, 2) if change == "shape" else values
            file[name] = values.view(np.int32) if change == "dtype" else values

    with pytest.raises(ValueError, match="not the one that was written"):
        check_seal(path)


def test_the_digest_of_a_file_is_that_of_its_bytes(path):
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
