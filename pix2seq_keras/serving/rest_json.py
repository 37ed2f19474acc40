"""Converts the JSON of TensorFlow Serving's REST interface to arrays and back.

The format is described at https://www.tensorflow.org/tfx/serving/api_rest: a request has rows (`instances`, answered
with `predictions`) or columns (`inputs`, answered with `outputs`). Bytes are `{"b64": …}`, also in outputs whose names
end in `_bytes`. The name of a single input or output is omitted.
"""

import base64
import binascii
import json

import numpy as np
import tensorflow as tf

from pix2seq_keras.serving.served_model import RequestError

_INTEGER_DTYPES = (tf.int8, tf.uint8, tf.int16, tf.int32, tf.uint32, tf.int64, tf.uint64)


def parse_request(body):
    """Parses the body of a predict request.

    Args:
        body: bytes, JSON.

    Returns:
        Dictionary with `"instances"` or `"inputs"`, and optionally `"signature_name"`.

    Raises:
        RequestError: INVALID_ARGUMENT, if it is not such a request.
    """
    try:
        request = json.loads(body)
    except RecursionError as error:
        raise _invalid("JSON Parse error: too deeply nested") from error
    except ValueError as error:  # invalid UTF-8 too
        raise _invalid(f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise _invalid("The request must be a JSON object")
    if not isinstance(request.get("signature_name", ""), str):
        raise _invalid("'signature_name' must be a string")
    if ("instances" in request) == ("inputs" in request):
        raise _invalid("The request must have either 'instances' or 'inputs'")
    return request


def read_inputs(request, definition, max_rows):
    """Converts the inputs of a request to arrays.

    Args:
        request: dictionary from `parse_request`.
        definition: `SignatureDef` of the requested signature.
        max_rows: int. A request with more rows is refused before any row is converted.

    Returns:
        Dictionary of input name to array.

    Raises:
        RequestError: INVALID_ARGUMENT, if names, types or shapes do not match the signature.
    """
    dtypes = {name: tf.as_dtype(info.dtype) for name, info in definition.inputs.items()}
    if "inputs" in request:
        columns = request["inputs"]
        if not isinstance(columns, dict) or _is_bytes(columns):
            columns = {_only_name(dtypes): columns}
    else:
        columns = _columns(request["instances"], dtypes)
    if set(columns) != set(dtypes):
        raise _invalid(f"The signature takes the inputs {sorted(dtypes)}. Received: {sorted(columns)}")
    for name, values in columns.items():
        rows = values if isinstance(values, list) else []
        if len(rows) > max_rows:
            raise _invalid(f"A request must have between 1 and {max_rows} rows. Received: {len(rows)}")
        # One row could hold a list as long as the request, and each of its strings would become an array.
        scalar_rows = len(definition.inputs[name].tensor_shape.dim) == 1
        if scalar_rows and any(isinstance(row, list) for row in rows):
            raise _invalid(f"The input {name} must have one value per row, not a list")
    return {name: _to_array(values, dtypes[name], name) for name, values in columns.items()}


def write_outputs(outputs, by_rows):
    """Writes the body of a predict response.

    Args:
        outputs: dictionary of output name to array with the batch in dimension 0.
        by_rows: bool, whether the request had `instances`: then the response has `predictions`, else `outputs`.

    Returns:
        bytes, JSON.
    """
    columns = {name: _to_json(values, name) for name, values in outputs.items()}
    if by_rows:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        response = {"predictions": rows if len(columns) > 1 else next(iter(columns.values()))}
    else:
        response = {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    return json.dumps(response).encode()


def _columns(instances, dtypes):
    if not isinstance(instances, list) or not instances:
        raise _invalid("'instances' must be a list with at least one row")
    if not isinstance(instances[0], dict) or _is_bytes(instances[0]):
        return {_only_name(dtypes): instances}
    for index, row in enumerate(instances):
        if not isinstance(row, dict) or set(row) != set(dtypes):
            raise _invalid(f"Row {index} of 'instances' must be an object with the keys {sorted(dtypes)}")
    return {name: [row[name] for row in instances] for name in dtypes}


def _only_name(dtypes):
    if len(dtypes) != 1:
        raise _invalid(f"The inputs must be named, since the signature takes several: {sorted(dtypes)}")
    return next(iter(dtypes))


def _to_array(values, dtype, name):
    try:
        if dtype == tf.string:
            return _strings(values)
        # An object array: in a string array of NumPy every value takes as much memory as the longest.
        array = np.array(values, object)
        allowed = {int} if dtype in _INTEGER_DTYPES else {bool} if dtype == tf.bool else {int, float}
        if not set(map(type, array.flat)) <= allowed:
            raise ValueError(f"expected {dtype.name}")
        if dtype in _INTEGER_DTYPES and array.size and not (dtype.min <= array.min() and array.max() <= dtype.max):
            raise ValueError(f"expected {dtype.name}")
        return array.astype(dtype.as_numpy_dtype)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
        raise _invalid(f"The input {name} is malformed: {error}") from error


def _strings(values):
    """Converts strings and `{"b64": …}`, nested in lists, to an array of bytes objects."""
    if isinstance(values, list):
        rows = [_strings(value) for value in values]
        if len({row.shape for row in rows}) > 1:
            raise ValueError("its rows have different shapes")
        shape = (len(rows), *(rows[0].shape if rows else ()))
        array = np.empty(shape, object)
        for index, row in enumerate(rows):
            array[index] = row if row.ndim else row[()]
        return array
    if _is_bytes(values):
        content = base64.b64decode(values["b64"], validate=True)
    elif isinstance(values, str):
        content = values.encode()
    else:
        raise ValueError(f"expected a string or {{'b64': …}}, received {type(values).__name__}")
    array = np.empty((), object)
    array[()] = content
    return array


def _to_json(values, name):
    if values.dtype.kind not in "OS":
        return values.tolist()  # as doubles, which convert back to the same float32
    if name.endswith("_bytes"):
        encode = lambda value: {"b64": base64.b64encode(value).decode()}
    else:
        encode = lambda value: value.decode(errors="replace")
    walk = lambda value: [walk(inner) for inner in value] if isinstance(value, list) else encode(value)
    return walk(values.tolist())


def _is_bytes(value):
    return isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str)


def _invalid(message):
    return RequestError("INVALID_ARGUMENT", message)
