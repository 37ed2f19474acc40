"""The model: logits, saving, what it is made of and what it refuses."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Categories, InputError, Pix2Seq
from pix2seq_keras.layers import ImageEncoder, ResidualStem
from pix2seq_keras.models.inputs import checked_images, checked_max_objects

GREEDY = {"sampler": "greedy", "max_objects": 2}


@pytest.fixture(scope="module")
def inputs(tiny_images):
    return {"images": tiny_images[:2], "tokens": np.array([[1, 8, 9, 10, 11, 3], [1, 7, 7, 20, 20, 2]])}


def test_logits_are_float32_over_the_whole_vocabulary(tiny_model, inputs):
    logits = tiny_model(inputs)

    assert logits.shape == (2, 6, tiny_model.vocabulary.size)
    assert logits.dtype == tf.float32
    assert tiny_model.encode(inputs["images"]).shape == (2, 16, 16)


def test_logits_see_no_later_token_but_the_image(tiny_model, inputs):
    other_token = {**inputs, "tokens": inputs["tokens"] + [[0, 0, 0, 1, 0, 0]]}
    other_image = {**inputs, "images": inputs["images"][::-1]}
    logits = tiny_model(inputs)

    by_token = np.abs(tiny_model(other_token) - logits).max((0, 2))
    by_image = np.abs(tiny_model(other_image) - logits).max((0, 2))

    assert (by_token[:3] < 1e-4).all() and (by_token[3:] > 1e-3).all()
    assert (by_image > 1e-3).all()


def test_attention_maps_have_a_row_for_every_token_and_a_place_for_every_patch(tiny_model, inputs):
    maps = np.asarray(tiny_model.attend(inputs["images"], inputs["tokens"]))

    assert maps.shape == (2, 1, 2, 6, 16)
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)


def test_a_keras_file_brings_back_the_whole_model(build_tiny_model, inputs, tmp_path):
    categories = Categories((1, 5, 9), ("cat", "dog", "owl"))
    model = build_tiny_model(3, categories=categories)
    model.save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)

    np.testing.assert_allclose(loaded(inputs), model(inputs), atol=1e-5)
    read, again = (one.generate(inputs["images"], **GREEDY) for one in (model, loaded))
    np.testing.assert_array_equal(read["tokens"], again["tokens"])
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


def test_an_encoder_of_vectors_is_taken_as_it_is(build_tiny_model, inputs):
    encoder = ImageEncoder(ResidualStem((4, 8)), num_layers=0, dim=24, mlp_dim=8, num_heads=2)

    model = build_tiny_model(encoder=encoder)

    assert model.encoder is encoder
    assert model(inputs).shape == (2, 6, 22)  # the bridge brings 24 to the decoder's 16


def test_categories_and_classes_must_be_as_many(build_tiny_model):
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
    read = mixed.generate(inputs["images"], **GREEDY)
    assert np.isfinite(read["log_probs"]).all()


def test_no_more_objects_are_read_than_there_are_positions_for(tiny_model, tiny_images):
    assert checked_max_objects(tiny_model, None) == 4
    assert checked_max_objects(tiny_model, 4) == 4
    for wrong in (0, 5, -1):
        with pytest.raises(InputError, match=f"between 1 and 4.*20 positions.*max_objects={wrong}"):
            tiny_model.generate(tiny_images, max_objects=wrong)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (np.zeros((2, 32, 48, 3), "float32"), r"shape \(B, 32, 32, 3\). Received: shape \(2, 32, 48, 3\)"),
        (np.zeros((32, 32, 3), "float32"), r"Received: shape \(32, 32, 3\).*`detect`"),
        (np.zeros((2, 32, 32, 1), "float32"), r"Received: shape \(2, 32, 32, 1\)"),
        (np.zeros((2, 32, 32, 3), "uint8"), "float images.*uint8.*Divide by 255"),
        (np.zeros((0, 32, 32, 3), "float32"), "The batch is empty"),
    ],
)
def test_images_that_do_not_fit_are_explained(tiny_model, images, sentence):
    with pytest.raises(InputError, match=sentence):
        tiny_model.generate(images)


def test_half_precision_images_are_read(tiny_model, tiny_images):
    assert checked_images(tiny_model, tiny_images.astype("float16")).dtype == tf.float32
    assert checked_images(tiny_model, tiny_images.astype("float64")).dtype == tf.float32


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_pixels_that_are_no_numbers_are_named_by_their_row(tiny_model, tiny_images, number):
    images = tiny_images[:3].copy()
    images[1, 5, 5, 0] = number

    with pytest.raises(InputError, match=r"NaN or infinity in rows \[1\]"):
        tiny_model.generate(images)


@pytest.mark.parametrize("seed", [[1, 2], [[1, 2, 3]], 0.5])
def test_seeds_that_are_not_one_a_row_are_refused(tiny_model, tiny_images, seed):
    with pytest.raises(InputError, match="one for each of the 3 images"):
        tiny_model.generate(tiny_images[:3], seed=seed)


def test_an_unknown_sampler_is_explained(tiny_model, tiny_images):
    with pytest.raises(InputError, match="'beam'"):
        tiny_model.generate(tiny_images, sampler="beam")


def test_a_user_may_decode_position_by_position(tiny_model, inputs):
    logits = np.asarray(tiny_model(inputs))

    cache = tiny_model.init_cache(tiny_model.encode(inputs["images"]), max_length=6)
    for position in range(6):
        step, cache = tiny_model.step(inputs["tokens"][:, position], position, cache)
        np.testing.assert_allclose(step, logits[:, position], atol=1e-4)
