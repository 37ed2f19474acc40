"""JSON of TensorFlow Serving's REST interface <-> arrays.

https://www.tensorflow.org/tfx/serving/api_rest says what is meant: rows (`instances` -> `predictions`) or columns
(`inputs` -> `outputs`); bytes are `{"b64": …}`, also of outputs whose names end in `_bytes`; a single output goes
without its name.
"""

import base64
import binascii
import json

import numpy as np
import tensorflow as tf

from pix2seq_keras.serving.served_model import RequestError

_KEYS = {"signature_name", "instances", "inputs"}
_INTEGERS = (tf.int8, tf.uint8, tf.int16, tf.int32, tf.uint32, tf.int64, tf.uint64)


def parse_request(body):
    """A request's JSON.

    Args:
        body: bytes.

    Returns:
        Dictionary with `"instances"` or `"inputs"`, and perhaps `"signature_name"`.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    try:
        request = json.loads(body)
    except RecursionError as error:
        raise _invalid("JSON Parse error: too deeply nested") from error
    except ValueError as error:  # of UTF-8 too
        raise _invalid(f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise _invalid("The request must be a JSON object")
    if not isinstance(request.get("signature_name", ""), str):
        raise _invalid("'signature_name' must be a string")
    if ("instances" in request) == ("inputs" in request):
        raise _invalid("The request must have either 'instances' or 'inputs'")
    return request


def read_inputs(request, definition, most_rows):
    """The arrays of a request.

    Args:
        request: of `parse_request`.
        definition: `SignatureDef`.
        most_rows: int; more are refused before any is converted.

    Returns:
        Dictionary of name -> array.

    Raises:
        RequestError: INVALID_ARGUMENT, if they are not what the signature takes.
    """
    wanted = {name: tf.as_dtype(info.dtype) for name, info in definition.inputs.items()}
    if "inputs" in request:
        columns = request["inputs"]
        if not isinstance(columns, dict) or _is_bytes(columns):
            columns = {_only(wanted): columns}
    else:
        columns = _columns(request["instances"], wanted)
    if set(columns) != set(wanted):
        raise _invalid(f"Received the inputs {sorted(columns)}, but the signature takes {sorted(wanted)}")
    for name, values in columns.items():
        rows = values if isinstance(values, list) else []
        if len(rows) > most_rows:
            raise _invalid(f"A request has between 1 and {most_rows} rows. Received: {len(rows)}")
        # A row may still hold a list as long as the request: of texts, it would become an array each.
        flat = len(definition.inputs[name].tensor_shape.dim) == 1
        if flat and any(isinstance(row, list) for row in rows):
            raise _invalid(f"The input {name} has one value a row, not a list")
    return {name: _array(values, wanted[name], name) for name, values in columns.items()}


def write_outputs(outputs, by_rows):
    """The answer's JSON.

    Args:
        outputs: dictionary of name -> array, the batch in dimension 0.
        by_rows: bool, whether the request had `instances`.

    Returns:
        bytes.
    """
    columns = {name: _plain(values, name) for name, values in outputs.items()}
    if by_rows:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        answer = {"predictions": rows if len(columns) > 1 else next(iter(columns.values()))}
    else:
        answer = {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    return json.dumps(answer).encode()


def _columns(instances, wanted):
    if not isinstance(instances, list) or not instances:
        raise _invalid("'instances' must be a list with at least one row")
    if not isinstance(instances[0], dict) or _is_bytes(instances[0]):
        return {_only(wanted): instances}
    for place, row in enumerate(instances):
        if not isinstance(row, dict) or set(row) != set(wanted):
            raise _invalid(f"Row {place} of 'instances' must be an object with the keys {sorted(wanted)}")
    return {name: [row[name] for row in instances] for name in wanted}


def _only(wanted):
    if len(wanted) != 1:
        raise _invalid(f"The signature takes several inputs, which must be named: {sorted(wanted)}")
    return next(iter(wanted))


def _array(values, dtype, name):
    try:
        if dtype == tf.string:
            return _strings(values)
        # As objects: among texts, NumPy would give every value the room of the longest.
        array = np.array(values, object)
        good = {int} if dtype in _INTEGERS else {bool} if dtype == tf.bool else {int, float}
        if not set(map(type, array.flat)) <= good:
            raise ValueError(f"expected {dtype.name}")
        if dtype in _INTEGERS and array.size and not (dtype.min <= array.min() and array.max() <= dtype.max):
            raise ValueError(f"expected {dtype.name}")
        return array.astype(dtype.as_numpy_dtype)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
        raise _invalid(f"The input {name} cannot be read: {error}") from error


def _strings(values):
    """Strings, or `{"b64": …}`, in lists within lists -> an array of bytes objects."""
    if isinstance(values, list):
        inside = [_strings(value) for value in values]
        if len({array.shape for array in inside}) > 1:
            raise ValueError("its rows have different shapes")
        shape = (len(inside), *(inside[0].shape if inside else ()))
        array = np.empty(shape, object)
        for place, value in enumerate(inside):
            array[place] = value if value.ndim else value[()]
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


def _plain(values, name):
    if values.dtype.kind not in "OS":
        return values.tolist()  # float32 become the doubles they are, which read back as the same float32
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
