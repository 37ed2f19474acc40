"""Checks for all layers."""

import json

import keras
import numpy as np
import pytest

from pix2seq_keras import Pix2Seq


@pytest.fixture
def check_layer(tmp_path):
    """A function (layer, *inputs) that checks the contract of a layer and returns its outputs in float32.

    The configuration is JSON and makes an equal layer; a `.keras` file restores the weights; `compute_output_shape` is
    the shape of the outputs; under mixed precision the layer computes nearly the same numbers in bfloat16.
    """

    def check(layer, *inputs, tolerance=0.1):
        inputs = [np.asarray(array) for array in inputs]
        symbols = [keras.Input(array.shape[1:], dtype=str(array.dtype)) for array in inputs]
        model = keras.Model(symbols, layer(*symbols))
        # Biases and norms start at 0 and 1. With other values, the test notices a file that does not hold them.
        rng = np.random.default_rng(0)
        for weight in model.weights:
            if len(weight.shape) == 1:
                weight.assign(weight + rng.uniform(0, 0.3, weight.shape))
        expected = np.asarray(model(inputs))

        config = layer.get_config()
        again = type(layer).from_config(json.loads(json.dumps(config, default=keras.saving.serialize_keras_object)))
        assert _plain(again.get_config()) == _plain(config)
        assert tuple(layer.compute_output_shape(*[array.shape for array in inputs])) == expected.shape

        model.save(tmp_path / "layer.keras")
        loaded = keras.saving.load_model(tmp_path / "layer.keras", safe_mode=True)
        np.testing.assert_allclose(loaded(inputs), expected, rtol=1e-5, atol=1e-6)
        assert len(loaded.weights) == len(model.weights)

        mixed = type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})
        low = [array.astype("float32") if array.dtype.kind == "f" else array for array in inputs]
        mixed(*low)
        mixed.set_weights(layer.get_weights())
        output = mixed(*low)
        assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
        assert all(keras.backend.standardize_dtype(weight.dtype) == "float32" for weight in mixed.weights)
        scale = np.abs(expected).max() + 1e-6
        np.testing.assert_allclose(np.asarray(keras.ops.cast(output, "float32")), expected, atol=tolerance * scale)
        return expected

    return check


@pytest.fixture(scope="session")
def numbers():
    """A function (*shape) -> float32 array of normal numbers, always the same."""
    return lambda *shape: np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.fixture(scope="session")
def assert_loads_equal():
    """A function (model, path, inputs) that saves a model as `.keras`, loads it, checks that both are equal."""

    def check(model, path, inputs):
        expected = np.asarray(model(inputs))
        model.save(path)
        loaded = keras.saving.load_model(path, safe_mode=True)
        np.testing.assert_allclose(loaded(inputs), expected, rtol=1e-5, atol=1e-5)
        assert len(loaded.weights) == len(model.weights)
        return loaded

    return check


@pytest.fixture
def train_in_pix2seq(tiny_vocabulary):
    """A function (backbone, images) -> a `Pix2Seq` with that backbone after one step on these images, its inputs."""

    def train(backbone, images):
        model = Pix2Seq(
            tiny_vocabulary, images.shape[1:3], backbone, decoder_layers=1, decoder_dim=16, decoder_mlp_dim=32,
            decoder_heads=2, max_length=20, dropout=0.0, drop_path=0.0,
        )  # fmt: skip
        tokens = np.random.default_rng(0).integers(1, model.vocabulary.size, (len(images), 5)).astype("int32")
        inputs = {"images": images, "tokens": tokens}
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)  # one step: tracing takes longer
        loss = model.train_on_batch(inputs, tokens, np.ones(tokens.shape, "float32"))[0]
        assert np.isfinite(loss)
        return model, inputs

    return train


def _plain(config):
    return json.loads(json.dumps(config, default=keras.saving.serialize_keras_object))
