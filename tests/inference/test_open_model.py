"""Opening a model by a REF, and the messages about those that cannot be opened."""

import keras
import numpy as np
import pytest

from pix2seq_keras import Categories, Pix2Seq, Vocabulary
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model


@pytest.fixture(scope="module")
def model():
    backbone = keras.Sequential([keras.layers.Conv2D(8, 8, 8)])
    sizes = {"decoder_layers": 1, "decoder_dim": 8, "decoder_heads": 1, "max_length": 10}
    return Pix2Seq(Vocabulary(2, 16), (16, 16), backbone, categories=Categories((3, 7), ("a", "b")), **sizes)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    model.save(path)
    return path


def assert_equal(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.categories == other.categories


def test_a_keras_file_opens_by_path_and_by_text(model, saved):
    for ref in (saved, str(saved)):
        assert_equal(open_model(ref), model)


@pytest.mark.parametrize("kind", ["file", "run", "preset"])
def test_weights_that_are_not_finite_are_refused(model, tmp_path, kind):
    broken = Pix2Seq.from_config(model.get_config())
    broken.embedding.output_bias.assign(np.full(broken.embedding.output_bias.shape, np.nan))
    path = tmp_path / "best.keras" if kind == "file" else tmp_path / kind
    if kind == "preset":
        broken.save_to_preset(path)
    else:
        folder = path if kind == "run" else path.parent
        folder.mkdir(exist_ok=True)
        broken.save(folder / "best.keras")

    with pytest.raises(InputError, match=r"must be finite numbers. Received: NaN or infinity in .*output_bias"):
        open_model(path)


def test_a_preset_folder_opens(model, tmp_path):
    model.save_to_preset(tmp_path / "preset")
    assert_equal(open_model(tmp_path / "preset"), model)


def test_a_run_folder_opens_with_its_best_weights_and_else_its_last(model, saved, tmp_path):
    (tmp_path / "last.keras").write_bytes(saved.read_bytes())
    assert_equal(open_model(tmp_path), model)
    (tmp_path / "best.keras").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"best\.keras"):  # it is not skipped silently
        open_model(tmp_path)


@pytest.mark.parametrize("ref", ["no_such_model", "no/such/model.keras", ""])
def test_a_missing_model_is_refused_with_the_kinds_of_refs(ref):
    with pytest.raises(InputError, match="run folder"):
        open_model(ref)


def test_the_message_suggests_a_preset():
    with pytest.raises(InputError, match=r"Did you mean digits_tiny\? The presets are digits_tiny; ") as refusal:
        open_model("digits_tiny.keras")
    assert len(str(refusal.value)) < 450


def test_a_published_model_without_weights_names_the_command_that_converts_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PIX2SEQ_CACHE_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"pix2seq convert --preset resnet50_640 --checkpoint resnet_640x640 --output"):
        open_model("resnet50_640")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no model"):
        open_model(tmp_path)


def test_a_damaged_file_is_refused_and_never_opens_as_another_model(model, saved, tmp_path):
    whole = saved.read_bytes()
    path = tmp_path / "damaged.keras"
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-10]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"damaged\.keras"):
            open_model(path)
    refused = 0
    for place in np.linspace(0, len(whole) - 1, 40).astype(int):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        path.write_bytes(bytes(flipped))
        try:
            assert_equal(open_model(path), model)  # the byte had no meaning, such as a date
        except InputError as error:
            assert "damaged.keras" in str(error)
            refused += 1
    assert refused > 20


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(b"\x89HDF")
    with pytest.raises(InputError, match=r"model\.h5 is not a \.keras file"):
        open_model(path)


def test_another_kind_of_model_is_refused(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="holds a Sequential, not a Pix2Seq"):
        open_model(tmp_path / "other.keras")


def test_an_unknown_scheme_is_refused():
    with pytest.raises(InputError, match="must begin with grpc://, http:// or https://"):
        open_model("s3://bucket/model")


def test_a_run_folder_with_a_saved_model_inside_opens_its_weights(model, saved, served_toy, tmp_path):
    (tmp_path / "best.keras").write_bytes(saved.read_bytes())
    (tmp_path / "12").symlink_to(served_toy / "12")
    assert_equal(open_model(tmp_path), model)
