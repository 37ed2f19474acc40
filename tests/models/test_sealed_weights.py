"""Weights files that were changed do not load."""

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.presets.weights import load_weights


@pytest.fixture
def damaged(tiny_model, tmp_path):
    """A weights file in which one byte of a number is another."""
    path = tmp_path / "a.weights.h5"
    tiny_model.save_weights(path)
    content = bytearray(path.read_bytes())
    number = np.asarray(tiny_model.embedding.positions)[3, 3:5].tobytes()
    content[content.index(number) + 1] ^= 0x10
    path.write_bytes(content)
    return path


def test_a_changed_number_is_found(build_tiny_model, damaged):
    model = build_tiny_model(7)
    before = model.get_weights()

    with pytest.raises(InputError, match=r"a\.weights\.h5 is damaged: the SHA-256"):
        model.load_weights(damaged)
    with pytest.raises(InputError, match=r"a\.weights\.h5 do not fit the model, or the file is damaged.*SHA-256"):
        load_weights(model, damaged)

    for weight, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_what_is_no_weights_file_is_named(build_tiny_model, tmp_path):
    (tmp_path / "a.weights.h5").write_bytes(b"text")

    with pytest.raises(InputError, match=r"a\.weights\.h5 is damaged"):
        build_tiny_model(7).load_weights(tmp_path / "a.weights.h5")
