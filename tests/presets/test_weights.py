"""Weights for a model that exists, or a sentence."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.layers import ResidualStem
from pix2seq_keras.presets.weights import load_weights, weights_cache


@pytest.fixture(scope="module")
def files(build_tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    model = build_tiny_model(5)
    model.save(folder / "a.keras")
    model.save_weights(folder / "a.weights.h5")
    return folder, model


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_files_of_both_kinds_fill_a_model(build_tiny_model, files, name):
    folder, original = files
    model = build_tiny_model(6)

    load_weights(model, folder / name)

    for a, b in zip(model.weights, original.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_trained_model_with_its_optimizer_is_read_for_its_weights(build_tiny_model, tmp_path):
    original, model = build_tiny_model(5), build_tiny_model(6)
    original.compile("adam")
    original.optimizer.build(original.trainable_variables)
    original.save(tmp_path / "run.keras")

    load_weights(model, tmp_path / "run.keras")

    np.testing.assert_array_equal(model.embedding.embeddings, original.embedding.embeddings)


@pytest.mark.parametrize("name", ["deep.keras", "deep.weights.h5"])
def test_a_deeper_model_is_not_cut_to_the_size(build_tiny_model, tiny_model, tmp_path, name):
    deep = build_tiny_model(encoder=ResidualStem((8, 8, 16), depth=3))
    (deep.save if name.endswith(".keras") else deep.save_weights)(tmp_path / name)

    with pytest.raises(InputError, match=rf"{name} do not fit the model.*its encoder has \d+ arrays, the model's \d+"):
        load_weights(tiny_model, tmp_path / name)


@pytest.mark.parametrize("keep", [0, 100, 5000, -200])
@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_damaged_files_are_named(build_tiny_model, files, tmp_path, name, keep):
    (tmp_path / name).write_bytes((files[0] / name).read_bytes()[:keep])

    with pytest.raises(InputError, match=rf"{name} do not fit the model, or the file is damaged"):
        load_weights(build_tiny_model(), tmp_path / name)


def test_a_flipped_byte_in_a_keras_file_is_found(build_tiny_model, files, tmp_path):
    content = bytearray((files[0] / "a.keras").read_bytes())
    with zipfile.ZipFile(files[0] / "a.keras") as archive:
        stored = archive.getinfo("model.weights.h5")
    content[stored.header_offset + stored.compress_size - 1000] ^= 0xFF
    (tmp_path / "a.keras").write_bytes(content)

    with pytest.raises(InputError, match=r"model\.weights\.h5 in it is not what was written"):
        load_weights(build_tiny_model(), tmp_path / "a.keras")


def test_what_cannot_be_weights_is_refused(tiny_model, tmp_path):
    (tmp_path / "image.png").write_text("")

    for weights, message in (
        (tmp_path / "image.png", r"must be a file ending in \.weights\.h5 or \.keras, or a folder"),
        (tmp_path / "none.keras", r"There is no weights file .*none\.keras"),
        ("http://127.0.0.1:1/image.png", r"must be a file ending in \.weights\.h5 or \.keras\."),
    ):
        with pytest.raises(InputError, match=message):
            load_weights(tiny_model, weights)


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("PIX2SEQ_CACHE_DIR", str(tmp_path))
    assert weights_cache() == tmp_path

    monkeypatch.delenv("PIX2SEQ_CACHE_DIR")
    assert weights_cache() == Path.home() / ".cache" / "pix2seq_keras" / "weights"
