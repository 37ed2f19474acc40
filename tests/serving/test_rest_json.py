"""The JSON formats that TensorFlow Serving documents."""

import base64
import json
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from pix2seq_keras.serving.rest_json import parse_request, read_inputs, write_outputs
from pix2seq_keras.serving.served_model import RequestError

B64 = {"b64": base64.b64encode(b"\xff\xd8").decode()}


def signature(**dtypes):
    definition = SignatureDef()
    for name, dtype in dtypes.items():
        definition.inputs[name].dtype = tf.as_dtype(dtype).as_datatype_enum
    return definition


ONE = signature(image_bytes=tf.string)
TWO = signature(image_bytes=tf.string, seed=tf.int32)


@pytest.mark.parametrize(
    "request_",
    [
        {"instances": [B64, B64]},
        {"instances": [{"image_bytes": B64}, {"image_bytes": B64}]},
        {"inputs": {"image_bytes": [B64, B64]}},
        {"inputs": [B64, B64]},
    ],
)
def test_all_formats_of_a_single_input_are_equivalent(request_):
    inputs = read_inputs(parse_request(json.dumps(request_).encode()), ONE, 1000)
    assert list(inputs) == ["image_bytes"]
    assert inputs["image_bytes"].tolist() == [b"\xff\xd8", b"\xff\xd8"]


def test_rows_and_columns_of_several_inputs_are_equivalent():
    rows = read_inputs({"instances": [{"image_bytes": B64, "seed": 3}, {"image_bytes": "text", "seed": 4}]}, TWO, 1000)
    columns = read_inputs({"inputs": {"image_bytes": [B64, "text"], "seed": [3, 4]}}, TWO, 1000)
    for inputs in (rows, columns):
        assert inputs["image_bytes"].tolist() == [b"\xff\xd8", b"text"]
        assert (inputs["seed"].dtype, inputs["seed"].tolist()) == (np.int32, [3, 4])


def test_images_as_nested_lists_become_arrays():
    pixels = np.arange(12).reshape(1, 2, 2, 3)
    inputs = read_inputs({"instances": pixels.tolist()}, signature(input_tensor=tf.uint8), 1000)
    np.testing.assert_array_equal(inputs["input_tensor"], pixels.astype(np.uint8))
    assert inputs["input_tensor"].dtype == np.uint8


def test_too_many_rows_and_lists_instead_of_strings_are_refused_before_conversion():
    definition = signature(image_bytes=tf.string)
    definition.inputs["image_bytes"].tensor_shape.dim.add().size = -1
    for columns, message in (
        ([""] * 65, "between 1 and 64 rows. Received: 65"),
        ([[""] * 1_000_000], "one value per row"),
    ):
        with pytest.raises(RequestError) as error:
            read_inputs({"inputs": columns}, definition, 64)
        assert message in error.value.message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"{}", b'{"instances": [1], "inputs": [1]}', b'{"signature_name": 3, "inputs": [1]}']
    + [b'{"inputs":' + b"[" * 100_000],
)
def test_a_body_that_is_no_predict_request_is_refused(body):
    with pytest.raises(RequestError) as error:
        parse_request(body)
    assert error.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "request_, definition",
    [
        ({"instances": []}, ONE),
        ({"instances": "text"}, ONE),
        ({"instances": [{"b64": "no base64!"}]}, ONE),
        ({"instances": [{"b64": "é"}]}, ONE),
        ({"instances": [3]}, ONE),
        ({"instances": [None]}, ONE),
        ({"instances": [B64]}, TWO),
        ({"instances": [{"image_bytes": B64}]}, TWO),
        ({"instances": [{"image_bytes": B64, "seed": 1}, B64]}, TWO),
        ({"inputs": {"image_bytes": [B64], "seed": [1], "more": [1]}}, TWO),
        ({"inputs": {"image_bytes": [B64], "seed": [1.5]}}, TWO),
        ({"inputs": {"image_bytes": [B64], "seed": [2**31]}}, TWO),
        ({"inputs": {"image_bytes": [B64], "seed": [True]}}, TWO),
        ({"inputs": [[[1, 2], [3]]]}, signature(input_tensor=tf.uint8)),
        ({"inputs": ["1"]}, signature(input_tensor=tf.uint8)),
        ({"inputs": [1, [2]]}, signature(input_tensor=tf.uint8)),
        ({"inputs": [256]}, signature(input_tensor=tf.uint8)),
        ({"inputs": [[B64], B64]}, ONE),
    ],
)
def test_inputs_that_do_not_match_the_signature_are_refused(request_, definition):
    with pytest.raises(RequestError) as error:
        read_inputs(request_, definition, 1000)
    assert error.value.code == "INVALID_ARGUMENT"


def test_one_long_string_among_many_does_not_multiply_memory():
    tracemalloc.start()
    with pytest.raises(RequestError, match="expected uint8"):
        read_inputs({"inputs": ["x" * 1_000_000, *["y"] * 100]}, signature(input_tensor=tf.uint8), 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_responses_have_rows_or_columns_as_requested():
    outputs = {"score": np.array([0.1, 0.2], np.float32), "name": np.array([b"a", "é".encode()], object)}
    rows = json.loads(write_outputs(outputs, by_rows=True))
    columns = json.loads(write_outputs(outputs, by_rows=False))
    assert columns["outputs"]["name"] == ["a", "é"]
    assert rows["predictions"][1] == {"score": columns["outputs"]["score"][1], "name": "é"}
    assert np.float32(columns["outputs"]["score"][0]) == np.float32(0.1)  # exactly


def test_a_single_output_has_no_name_and_bytes_are_base64():
    outputs = {"mask_bytes": np.array([[b"\xff"], [b""]], object)}
    expected = [[{"b64": "/w=="}], [{"b64": ""}]]
    assert json.loads(write_outputs(outputs, True)) == {"predictions": expected}
    assert json.loads(write_outputs(outputs, False)) == {"outputs": expected}
