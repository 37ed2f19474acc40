"""Quantised models: cached decoding, earlier graphs, saving, presets, adapting, and the modes that are refused."""

import keras
import numpy as np
import pytest
from keras.quantizers import Int4QuantizationConfig, Int8QuantizationConfig

from pix2seq_keras import InputError, Pix2Seq
from pix2seq_keras.layers import ImageEncoder
from pix2seq_keras.models.adapting import with_classes, with_dtype, with_image_size, with_max_objects
from pix2seq_keras.published.checkpoint_io import save_checkpoint

GREEDY = {"sampler": "greedy", "constrained": False, "max_objects": 4}


def decode_without_cache(model, images):
    """The arg-max tokens (B, 20), each computed anew from all tokens before it."""
    tokens = np.full((len(images), 1), model.vocabulary.start_token)
    for _ in range(20):
        logits = np.asarray(model({"images": images, "tokens": tokens}))
        tokens = np.concatenate([tokens, logits[:, -1].argmax(-1)[:, None]], 1)
    return tokens[:, 1:]


def decode(model, images):
    return model.generate(images, **GREEDY)["tokens"].numpy()


@pytest.mark.parametrize(
    ("mode", "config"),
    [
        ("int8", None),
        ("int4", Int4QuantizationConfig(block_size=8)),  # scales and zeros for each group of inputs
        (None, Int4QuantizationConfig(block_size=None)),  # a scale for each output
    ],
)
def test_cached_decoding_of_a_quantised_model_equals_uncached(build_tiny_model, tiny_images, tmp_path, mode, config):
    model, images = build_tiny_model(seed=0), tiny_images[:4]
    before = decode(model, images)
    logits = np.asarray(model({"images": images, "tokens": before}))

    model.quantize(mode, config)

    np.testing.assert_array_equal(decode(model, images), decode_without_cache(model, images))
    change = np.abs(np.asarray(model({"images": images, "tokens": before})) - logits).max()
    assert 0 < change < (0.2 if mode == "int8" else 5)  # it is quantised, and still the same model
    model.save(tmp_path / "small.keras")
    loaded = keras.saving.load_model(tmp_path / "small.keras", safe_mode=True)
    np.testing.assert_array_equal(decode(loaded, images), decode(model, images))


def test_a_quantised_model_detects_the_same_after_an_earlier_detect_and_as_a_preset(
    build_tiny_model, tiny_images, tmp_path
):
    fresh, used = build_tiny_model(seed=0), build_tiny_model(seed=0)
    used.detect(tiny_images, sampler="greedy")
    for model in (fresh, used):
        model.quantize("int4")

    expected = fresh.detect(tiny_images, sampler="greedy")
    fresh.save_to_preset(tmp_path / "preset")

    for model in (used, Pix2Seq.from_preset(tmp_path / "preset")):
        found = model.detect(tiny_images, sampler="greedy")
        np.testing.assert_array_equal(found["classes"], expected["classes"])
        np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-6)


def test_some_layers_can_be_quantised_and_are_the_same_after_loading(build_tiny_model, tmp_path):
    model = build_tiny_model(seed=0)
    model.quantize("int8", filters=["query", "key"])
    model.save(tmp_path / "small.keras")

    loaded = keras.saving.load_model(tmp_path / "small.keras")

    quantised = lambda model: [layer.name for layer in model._flatten_layers() if layer.quantization_mode == "int8"]
    assert set(quantised(model)) == {"query", "key"}
    assert quantised(loaded) == quantised(model)


def test_a_backbone_that_keras_saves_as_quantised_is_loaded_with_its_weights_in_place(build_tiny_model, tmp_path):
    inputs = keras.Input((32, 32, 3))
    features = keras.layers.Dense(8, activation="relu")(keras.layers.AveragePooling2D(8)(inputs))
    encoder = ImageEncoder(keras.Model(inputs, features), 0, 16, 32, 2)
    model = build_tiny_model(seed=0, encoder=encoder)
    model.quantize("int8")
    model.save(tmp_path / "small.keras")

    loaded = keras.saving.load_model(tmp_path / "small.keras")

    images = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    np.testing.assert_allclose(loaded.encode(images), model.encode(images), atol=1e-5)
    assert [weight.shape for weight in loaded.weights] == [weight.shape for weight in model.weights]


def test_adapted_models_stay_quantised(build_tiny_model, tiny_images):
    model = build_tiny_model(seed=0)
    model.quantize("int8")

    for other in (with_classes(model, 2), with_max_objects(model, 6), with_image_size(model, 48)):
        assert other.decoder.blocks[0].mlp.hidden.quantization_mode == "int8"
    bfloat16 = with_dtype(model, "mixed_bfloat16")
    tokens = np.array([[1, 8, 9]])
    np.testing.assert_allclose(
        bfloat16({"images": tiny_images[:1], "tokens": tokens}),
        model({"images": tiny_images[:1], "tokens": tokens}),
        atol=0.5,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "float8"}, "`mode` must be one of int8, int4.*Received: mode='float8'"),
        ({"mode": "gptq"}, "`mode` must be one of int8, int4.*Received: mode='gptq'"),
        ({}, "Received: mode=None"),
        ({"mode": "int8", "config": Int4QuantizationConfig()}, "must be a Int8QuantizationConfig"),
        ({"config": Int8QuantizationConfig()}, "activation_quantizer=None: only weights"),
        ({"mode": "int8", "filters": "nothing"}, "at least one dense layer.*'nothing'"),
    ],
)
def test_other_quantisations_are_refused_and_change_nothing(build_tiny_model, arguments, message):
    model = build_tiny_model(seed=0)

    with pytest.raises(InputError, match=message):
        model.quantize(**arguments)

    assert "quantization" not in model.get_config()
    assert not any(layer.quantization_mode for layer in model._flatten_layers())


def test_what_needs_floating_point_refuses_a_quantised_model(build_tiny_model, tmp_path):
    model = build_tiny_model(seed=0)
    model.quantize("int8")

    with pytest.raises(InputError, match="quantised to int8 already"):
        model.quantize("int4")
    with pytest.raises(InputError, match="floating point"):
        save_checkpoint(model, tmp_path / "checkpoint")
    with pytest.raises(InputError, match=r"cannot be quantised to int8.*float16"):
        with_dtype(model, "mixed_float16")
