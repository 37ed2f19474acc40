"""Presets as models: preset folders, written completely or not at all, and the published models by name."""

import dataclasses
import functools
import hashlib
import http.server
import json
import threading

import numpy as np
import pytest

from pix2seq_keras import Categories, InputError, Pix2Seq, Vocabulary
from pix2seq_keras.models.published import save_checkpoint
from pix2seq_keras.presets import packaged_names, published_models


@pytest.fixture(scope="module")
def model(build_tiny_model):
    return build_tiny_model(8, categories=Categories.from_names(["a", "b", "c"]))


@pytest.fixture
def folder(model, tmp_path):
    model.save_to_preset(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def inputs(tiny_images):
    return {"images": tiny_images[:2], "tokens": np.array([[1, 8, 9], [1, 10, 11]])}


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_preset_gives_the_same_model(model, folder, inputs):
    loaded = Pix2Seq.from_preset(folder)

    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-5)
    assert (loaded.vocabulary, loaded.categories) == (model.vocabulary, model.categories)
    assert listing(folder) == ["config.json", "model.weights.h5"]
    assert json.loads((folder / "config.json").read_text())["class_name"] == "Pix2Seq"


def test_a_preset_with_random_or_other_weights(model, folder, inputs, build_tiny_model, tmp_path):
    other = build_tiny_model(9)
    other.save_weights(tmp_path / "other.weights.h5")

    by_path = Pix2Seq.from_preset(folder, weights=tmp_path / "other.weights.h5")
    random = Pix2Seq.from_preset(folder, weights=None)

    np.testing.assert_allclose(by_path(inputs), other(inputs), atol=1e-5)
    assert np.abs(random(inputs) - model(inputs)).max() > 0.1


def test_a_preset_for_other_classes_keeps_all_other_weights(model, folder):
    loaded = Pix2Seq.from_preset(folder, num_classes=7)

    assert loaded.vocabulary == Vocabulary(7, 16)
    assert loaded.categories is None
    np.testing.assert_array_equal(loaded.embedding.embeddings[10:], model.embedding.embeddings[6:])
    np.testing.assert_array_equal(loaded.embedding.positions, model.embedding.positions)
    for old, new in zip(model.encoder.weights, loaded.encoder.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_same_number_of_classes_changes_nothing(model, folder, inputs):
    loaded = Pix2Seq.from_preset(folder, num_classes=3)

    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-5)
    assert loaded.categories == model.categories


def test_every_packaged_preset_describes_a_model():
    for name in packaged_names():
        model = Pix2Seq.from_preset(name)
        assert model.vocabulary.num_classes == len(model.categories)


@pytest.mark.parametrize(
    "text", ["", '{"config": {"vocab', "[]", "{}", '{"config": []}', '{"config": {"image_size": 3}}',
             '{"config": {"vocabulary": 3, "image_size": [32, 32], "encoder": 4}}', "\x00\x01"],
)  # fmt: skip
def test_a_damaged_configuration_is_reported(folder, text):
    (folder / "config.json").write_text(text)

    with pytest.raises(InputError, match=r"saved/config.json does not describe a model"):
        Pix2Seq.from_preset(folder)


@pytest.mark.parametrize("keep", [0, 100, -200])
def test_damaged_weights_are_reported(folder, keep):
    weights = folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:keep])

    with pytest.raises(InputError, match=r"saved/model.weights.h5 do not fit the model, or the file is damaged"):
        Pix2Seq.from_preset(folder)


def test_a_preset_loads_only_the_weights_it_was_written_with(model, folder, inputs, build_tiny_model):
    config = json.loads((folder / "config.json").read_text())
    assert config["weights_sha256"] == hashlib.sha256((folder / "model.weights.h5").read_bytes()).hexdigest()
    build_tiny_model(9).save_weights(folder / "model.weights.h5")

    with pytest.raises(InputError, match=r"damaged: its SHA-256 is not [0-9a-f]{64}, which the preset's config.json"):
        Pix2Seq.from_preset(folder)

    del config["weights_sha256"]  # as presets of earlier versions
    (folder / "config.json").write_text(json.dumps(config))
    assert Pix2Seq.from_preset(folder)(inputs).shape == model(inputs).shape


def test_missing_weights_are_reported(folder):
    (folder / "model.weights.h5").unlink()

    with pytest.raises(InputError, match=r"There is no weights file .*model.weights.h5"):
        Pix2Seq.from_preset(folder)


def test_weights_of_another_model_are_refused(folder, build_tiny_model, tmp_path):
    build_tiny_model(decoder_mlp_dim=24).save_weights(tmp_path / "other.weights.h5")

    with pytest.raises(InputError, match=r"other.weights.h5 do not fit the model"):
        Pix2Seq.from_preset(folder, weights=tmp_path / "other.weights.h5")


def test_a_folder_with_other_files_is_not_changed(model, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")

    for place in ("thesis", "file"):
        with pytest.raises(InputError, match=f"{place} exists and is not a preset folder"):
            model.save_to_preset(tmp_path / place)
    assert listing(tmp_path) == ["file", "thesis", "thesis/chapter.txt"]


def test_a_folder_with_another_programs_configuration_is_not_changed(model, tmp_path):
    """A published checkpoint has a config.json too, beside gigabytes of weights."""
    checkpoint, beside = tmp_path / "checkpoint", tmp_path / "beside"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text('{"dim_att": 256}')
    model.save_to_preset(beside)
    (beside / "notes.txt").write_text("mine")

    for place in (checkpoint, beside):
        before = listing(place)
        with pytest.raises(InputError, match="is not a preset folder, or holds other files"):
            model.save_to_preset(place)
        assert listing(place) == before


def test_a_folder_that_cannot_be_written_is_reported(model, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"file/preset cannot be written"):
        model.save_to_preset(tmp_path / "file" / "preset")


def test_saving_again_replaces_the_weights_and_keeps_the_card(folder, build_tiny_model, inputs):
    (folder / "README.md").write_text("how it was made")
    other = build_tiny_model(10)

    other.save_to_preset(folder)

    assert (folder / "README.md").read_text() == "how it was made"
    np.testing.assert_allclose(Pix2Seq.from_preset(folder)(inputs), other(inputs), atol=1e-5)
    assert listing(folder.parent) == [
        "saved", "saved/README.md", "saved/config.json", "saved/model.weights.h5"
    ]  # fmt: skip


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupted_save_leaves_no_incomplete_preset(model, folder, inputs, monkeypatch, error):
    before = (folder / "model.weights.h5").read_bytes()

    def fail(model, filepath, *args, **kwargs):
        filepath.write_bytes(b"half")
        raise error

    monkeypatch.setattr(Pix2Seq, "save_weights", fail)

    for place in (folder, folder.parent / "new"):
        expected = InputError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(expected):
            model.save_to_preset(place)
    assert listing(folder.parent) == ["saved", "saved/config.json", "saved/model.weights.h5"]
    assert (folder / "model.weights.h5").read_bytes() == before


# === Published models, reduced to a size that is quick to build ===

SMALL = {
    "image_size": [32, 32], "dim_att": 8, "dim_mlp": 16, "num_heads": 2, "num_encoder_layers": 1, "dim_att_dec": 8,
    "dim_mlp_dec": 16, "num_heads_dec": 2, "num_decoder_layers": 1, "max_seq_len": 20, "coord_vocab_shift": 200,
    "vocab_size": 232, "quantization_bins": 32,
}  # fmt: skip


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and published models of the `SMALL` size."""
    get = published_models.get
    small = lambda name: dataclasses.replace(get(name), config={**get(name).config, **SMALL})
    monkeypatch.setattr(published_models, "get", small)
    monkeypatch.setenv("PIX2SEQ_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def assert_same_weights(one, other):
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_published_model_has_its_vocabulary_and_categories(cache):
    model = Pix2Seq.from_preset("vit_b_640", weights=None)

    assert model.vocabulary == Vocabulary.published(32, 200, 232, model.categories.ids)
    assert model.categories == published_models.categories("coco")
    assert model.image_size == (32, 32)


@pytest.mark.parametrize("file", ["vit_b_640.keras", "vit_b_640.weights.h5"])
def test_published_weights_come_from_the_cache(cache, file):
    original = Pix2Seq.from_preset("vit_b_640", weights=None)
    (original.save if file.endswith(".keras") else original.save_weights)(cache / file)

    assert_same_weights(Pix2Seq.from_preset("vit_b_640"), original)


def test_weights_that_were_never_published_are_refused(cache):
    with pytest.raises(InputError, match=r"The weights of resnet101_1333_scratch were never published.*weights=None"):
        Pix2Seq.from_preset("resnet101_1333_scratch")


def test_a_published_model_for_another_canvas_and_other_classes_keeps_all_weights(cache):
    original = Pix2Seq.from_preset("vit_b_640", weights=None)
    original.save(cache / "vit_b_640.keras")

    model = Pix2Seq.from_preset("vit_b_640", num_classes=3, image_size=(48, 64))

    assert_same_weights(model, original)
    assert model.image_size == (48, 64) and model.encoder.grid == (3, 4)
    assert model.vocabulary.class_tokens == (101, 102, 103) and model.categories is None


def test_a_preset_folder_takes_another_canvas(model, folder):
    loaded = Pix2Seq.from_preset(folder, image_size=48)

    assert loaded.image_size == (48, 48)
    assert_same_weights(loaded, model)
    assert Pix2Seq.from_preset(folder, image_size=(32, 32)).image_size == (32, 32)


def test_a_subclass_makes_its_own_models(cache):
    class Mine(Pix2Seq):
        pass

    assert type(Mine.from_preset("vit_b_640", weights=None)) is Mine


@pytest.mark.parametrize("by", ["folder", "prefix"])
def test_weights_are_loaded_from_a_checkpoint(cache, tmp_path, by):
    original = Pix2Seq.from_preset("vit_b_640", weights=None)
    prefix = save_checkpoint(original, tmp_path)

    model = Pix2Seq.from_preset("vit_b_640", weights=tmp_path if by == "folder" else prefix)

    assert_same_weights(model, original)


def test_weights_come_from_a_web_address(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    original = Pix2Seq.from_preset("vit_b_640", weights=None)
    (tmp_path / "site").mkdir()
    original.save_weights(tmp_path / "site" / "mine.weights.h5")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path / "site")
    ) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/mine.weights.h5"
        try:
            model = Pix2Seq.from_preset("vit_b_640", weights=address)
        finally:
            server.shutdown()
            thread.join()

    assert_same_weights(model, original)
    assert_same_weights(Pix2Seq.from_preset("vit_b_640", weights=address), original)  # the server is gone, the file not
