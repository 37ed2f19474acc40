"""Weights are stored as float16, and nothing else is."""

import numpy as np
import pytest

# isort: off
from pix2seq_keras.exporting.signature import Signature
from pix2seq_keras.exporting.tflite.half_precision import in_half_precision
from pix2seq_keras.exporting.tflite.write import convert, operators
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

# isort: on

WEIGHTS = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
LARGE = WEIGHTS * 1e5  # some beyond float16's range


@pytest.fixture(scope="module")
def contents():
    """A model with weights in a loop and constants that float16 cannot represent: in float32, and in half precision."""

    def function(x):
        # Exactly 2²² + 0.5 and −10⁹, neither of which is a float16.
        big = x[:, :1] * 0.0 + (2.0**22 + 0.5)
        low = tf.where(x > 0, x, -1e9)
        _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.matmul(tf.tanh(y), WEIGHTS)), (0, x))
        return {"y": y, "big": big, "low": low, "large": tf.matmul(x, LARGE)}

    content = convert(Signature(function, (tf.TensorSpec([1, 64], tf.float32, name="x"),)))
    return content, in_half_precision(content)


def _run(content, x):
    return Interpreter(model_content=content).get_signature_runner("serving_default")(x=x)


def test_weights_are_rounded_to_half_precision(contents):
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None]
    rounded, y = WEIGHTS.astype(np.float16).astype(np.float32), x
    for _ in range(3):
        y = np.tanh(y) @ rounded

    exact, half = (_run(content, x)["y"] for content in contents)

    np.testing.assert_allclose(half, y, atol=2e-5)
    assert 1e-5 < np.abs(half - exact).max() < 0.1  # it differs from the float32 model


def test_scalars_and_weights_out_of_float16s_range_stay_float32(contents):
    x = np.linspace(-1, 1, 64, dtype=np.float32)[None]

    exact, half = (_run(content, x) for content in contents)

    assert half["big"][0, 0] == 2.0**22 + 0.5
    assert half["low"].min() == np.float32(-1e9)
    np.testing.assert_array_equal(half["large"], exact["large"])


def test_the_file_shrinks_by_half_of_the_weights_size(contents):
    exact, half = contents

    saved = len(exact) - len(half)

    assert 0.8 * WEIGHTS.nbytes / 2 < saved <= WEIGHTS.nbytes / 2  # the added operators take some bytes
    assert set(operators(half)) - set(operators(exact)) == {"DEQUANTIZE"}


def test_constants_are_aligned_to_16_bytes(contents):
    half = contents[1]
    model = schema.Model.GetRootAs(half, 0)
    whole = np.frombuffer(half, np.uint8)
    arrays = [model.Buffers(place).DataAsNumpy() for place in range(model.BuffersLength())]
    arrays = [array for array in arrays if isinstance(array, np.ndarray) and array.size]
    starts = [array.ctypes.data - whole.ctypes.data for array in arrays]

    assert starts and all(start % 16 == 0 for start in starts)
