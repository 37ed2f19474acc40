"""The model: logits, saving, its parts, and the arguments it refuses."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Categories, DecodingOptions, InputError, Pix2Seq
from pix2seq_keras.layers import ImageEncoder, ResidualStem

GREEDY = {"sampler": "greedy", "max_objects": 2}


@pytest.fixture(scope="module")
def inputs(tiny_images):
    return {"images": tiny_images[:2], "tokens": np.array([[1, 8, 9, 10, 11, 3], [1, 7, 7, 20, 20, 2]])}


def test_logits_are_float32_over_the_whole_vocabulary(tiny_model, inputs):
    logits = tiny_model(inputs)

    assert logits.shape == (2, 6, tiny_model.vocabulary.size)
    assert logits.dtype == tf.float32
    assert tiny_model.encode(inputs["images"]).shape == (2, 16, 16)


def test_logits_depend_on_the_image_and_on_no_later_token(tiny_model, inputs):
    other_token = {**inputs, "tokens": inputs["tokens"] + [[0, 0, 0, 1, 0, 0]]}
    other_image = {**inputs, "images": inputs["images"][::-1]}
    logits = tiny_model(inputs)

    by_token = np.abs(tiny_model(other_token) - logits).max((0, 2))
    by_image = np.abs(tiny_model(other_image) - logits).max((0, 2))

    assert (by_token[:3] < 1e-4).all() and (by_token[3:] > 1e-3).all()
    assert (by_image > 1e-3).all()


def test_cross_attention_has_a_row_for_every_token_and_a_column_for_every_patch(tiny_model, inputs):
    weights = np.asarray(tiny_model.cross_attention(inputs["images"], inputs["tokens"]))

    assert weights.shape == (2, 1, 2, 6, 16)  # (B, layers, heads, L, N)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


def test_a_keras_file_brings_back_the_whole_model(build_tiny_model, inputs, tmp_path):
    categories = Categories((1, 5, 9), ("cat", "dog", "owl"))
    model = build_tiny_model(3, categories=categories)
    model.save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)

    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-5)
    tokens, again = (one.generate(inputs["images"], **GREEDY)["tokens"] for one in (model, loaded))
    np.testing.assert_array_equal(tokens, again)
    assert isinstance(loaded, Pix2Seq)
    assert (loaded.categories, loaded.vocabulary) == (categories, model.vocabulary)


def test_weights_files_fit_a_model_of_the_same_configuration(tiny_model, build_tiny_model, inputs, tmp_path):
    tiny_model.save_weights(tmp_path / "tiny.weights.h5")
    other = build_tiny_model(7)
    assert np.abs(other(inputs) - tiny_model(inputs)).max() > 0.1

    other.load_weights(tmp_path / "tiny.weights.h5")

    np.testing.assert_allclose(other(inputs), tiny_model(inputs), atol=1e-5)


def test_a_configuration_is_json_and_makes_an_equal_model(build_tiny_model, inputs):
    model = build_tiny_model(4, dropout=0.2, drop_path=0.3, bridge_mlp_dim=24)
    plain = lambda config: json.loads(json.dumps(config, default=keras.saving.serialize_keras_object))

    again = Pix2Seq.from_config(plain(model.get_config()))

    assert plain(again.get_config()) == plain(model.get_config())
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in model.weights]
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-5)


def test_an_image_backbone_is_given_a_transformer_encoder(build_tiny_model):
    backbone = keras.Sequential([keras.layers.Conv2D(6, 8, 8), keras.layers.ReLU()])

    model = build_tiny_model(encoder=backbone)

    assert isinstance(model.encoder, ImageEncoder)
    assert model.encoder.backbone is backbone
    assert model.encoder.grid == (4, 4)
    assert len(model.encoder.transformer.blocks) == 1


def test_an_encoder_that_gives_vectors_is_used_unchanged(build_tiny_model, inputs):
    encoder = ImageEncoder(ResidualStem((4, 8)), num_layers=0, dim=24, mlp_dim=8, num_heads=2)

    model = build_tiny_model(encoder=encoder)

    assert model.encoder is encoder
    assert model(inputs).shape == (2, 6, 22)  # the bridge projects 24 to the decoder's 16


def test_there_must_be_as_many_categories_as_classes(build_tiny_model):
    with pytest.raises(InputError, match=r"Received: 2 categories, vocabulary.num_classes=3"):
        build_tiny_model(categories=Categories.from_names(["a", "b"]))


def test_mixed_precision_computes_nearly_the_same(tiny_model, inputs):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder = ImageEncoder(ResidualStem((8, 8, 16)), 1, 16, 32, 2)
        mixed = Pix2Seq(tiny_model.vocabulary, (32, 32), encoder, 1, 16, 32, 2, max_length=20)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(tiny_model.get_weights())

    logits = mixed(inputs)

    assert logits.dtype == tf.float32
    assert mixed.decoder.compute_dtype == "bfloat16"
    expected = np.asarray(tiny_model(inputs))
    assert np.abs(logits - expected).mean() < 0.1 * expected.std()
    assert np.isfinite(mixed.generate(inputs["images"], **GREEDY)["log_probs"]).all()


@pytest.mark.parametrize("max_objects", [0, 5, -1])
@pytest.mark.parametrize("method", ["generate", "detect", "stream"])
def test_more_objects_than_the_model_has_positions_for_are_refused(tiny_model, tiny_images, method, max_objects):
    with pytest.raises(InputError, match=rf"`max_objects`.*max_objects={max_objects}"):
        getattr(tiny_model, method)(tiny_images[:1], max_objects=max_objects)


@pytest.mark.parametrize("method", ["generate", "detect", "stream"])
def test_options_are_given_as_an_object_a_dictionary_or_keywords(tiny_model, tiny_images, method):
    def decode(*options, **overrides):
        result = getattr(tiny_model, method)(tiny_images[:1], *options, **overrides)
        return (
            {name: np.asarray(values) for name, values in result.items()} if isinstance(result, dict) else list(result)
        )

    fields = {"sampler": "greedy", "max_objects": 2}

    expected = decode(**fields)

    for options, overrides in (
        (DecodingOptions(**fields), {}),
        (fields, {}),
        ({"max_objects": 2}, {"sampler": "greedy"}),
    ):
        np.testing.assert_equal(decode(options, **overrides), expected)
    with pytest.raises(InputError, match=r"Decoding options are max_objects,.*Received: temperature=…"):
        decode(temperature=2.0)


@pytest.mark.parametrize(
    ("method", "images"),
    [
        ("generate", np.zeros((2, 32, 48, 3), "float32")),
        ("generate", np.zeros((2, 32, 32, 3), "int32")),
        ("detect", np.zeros((2, 32, 48, 3), "float32")),
        ("stream", np.zeros((32, 48, 3), "float32")),
    ],
)
def test_images_that_do_not_fit_are_refused(tiny_model, method, images):
    with pytest.raises(InputError, match=r"`images` must be.*Received"):
        getattr(tiny_model, method)(images)


@pytest.mark.parametrize("seed", [[1, 2], [[1, 2, 3]], 0.5])
def test_seeds_must_be_one_or_one_for_each_image(tiny_model, tiny_images, seed):
    with pytest.raises(InputError, match="one seed for each of the 3 images"):
        tiny_model.generate(tiny_images[:3], seed=seed)


def test_an_unknown_sampler_is_refused(tiny_model, tiny_images):
    with pytest.raises(InputError, match=r"`sampler` must be one of greedy, top_k.*Received: sampler='beam'"):
        tiny_model.generate(tiny_images, sampler="beam")


def test_an_exported_model_takes_no_signature_of_the_caller(tiny_model, tmp_path):
    with pytest.raises(InputError, match="the signatures are fixed"):
        tiny_model.export(tmp_path / "model", input_signature=[])
