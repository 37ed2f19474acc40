"""The model behind both interfaces: its versions, its signatures, and one queue for all requests."""

import contextlib
import math
import threading
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, prediction_log_pb2

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.saved_model.warm_up import MAX_WARM_UP_REQUESTS, WARM_UP_FILE
from pix2seq_keras.inference import RefusedCallError
from pix2seq_keras.inference.saved_model import LoadedModel, versions_in


class RequestError(Exception):
    """A request that is answered with an error.

    Args:
        code: str, name of a gRPC status code, such as `"INVALID_ARGUMENT"`.
        message: str.
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class ServedModel:
    """The versions of a SavedModel, loaded and warmed up.

    Args:
        name: str, the model's name in requests.
        path: folder of versions, or the folder of one version.
        limits: `Limits`.
        all_versions: bool, whether all versions are loaded or only the highest one, default `False`.

    Raises:
        InputError: if there is no SavedModel, it cannot be loaded, or one of its warm-up requests fails.
    """

    def __init__(self, name, path, limits, all_versions=False):
        folders = versions_in(path)
        if not folders:
            raise InputError(
                f"{path} holds no SavedModel: neither saved_model.pb nor a numbered folder with one. "
                "Write one with `pix2seq export --format saved_model`."
            )
        self.name = name
        self.limits = limits
        self.parsing = threading.Lock()
        self._free_slots = threading.Semaphore(limits.max_concurrent)  # to run
        self._free_places = threading.Semaphore(limits.max_concurrent + limits.max_waiting)  # to run or wait
        self.versions = {
            version: _Version(folder) for version, folder in folders.items() if all_versions or version == max(folders)
        }

    def version(self, name, version=None):
        """Checks the model's name and version in a request.

        Args:
            name: str.
            version: int, or `None` for the highest version.

        Returns:
            int, the version's number.

        Raises:
            RequestError: NOT_FOUND, if there is no such model or version.
        """
        if name != self.name or (version is not None and version not in self.versions):
            requested = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {requested}")
        return max(self.versions) if version is None else version

    def signature(self, version, name):
        """Looks up a signature.

        Args:
            version: int.
            name: str.

        Returns:
            `SignatureDef`.

        Raises:
            RequestError: FAILED_PRECONDITION, if there is no signature of that name.
        """
        definitions = self.versions[version].definitions.signature_def
        if name not in definitions or name not in self.versions[version].inputs_of:
            raise RequestError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        return definitions[name]

    def run(self, version, signature, inputs, timeout=None):
        """Runs a signature as soon as a slot is free.

        Args:
            version: int.
            signature: str.
            inputs: dictionary of input name to array.
            timeout: float, seconds until the client's deadline, or `None` if it has none.

        Returns:
            Dictionary of output name to NumPy array.

        Raises:
            RequestError: INVALID_ARGUMENT, if the inputs do not match the signature or the model refuses them;
                RESOURCE_EXHAUSTED, if the queue is full; DEADLINE_EXCEEDED, if no slot becomes free in time;
                INTERNAL, if the model fails.
        """
        self._check_inputs(self.signature(version, signature), inputs)
        with self._slot(timeout):
            try:
                return self.versions[version].run(signature, inputs)
            except RefusedCallError as error:
                raise RequestError("INVALID_ARGUMENT", str(error)) from error
            except (tf.errors.OpError, ValueError, TypeError) as error:
                raise RequestError("INTERNAL", f"The model failed: {type(error).__name__}.") from error

    def _check_inputs(self, definition, inputs):
        expected = definition.inputs
        if set(inputs) != set(expected):
            raise RequestError(
                "INVALID_ARGUMENT",
                f"The signature takes the inputs {{{', '.join(sorted(expected))}}}. "
                f"Received: {{{', '.join(sorted(inputs))}}}.",
            )
        rows = set()
        for name, values in inputs.items():
            dtype, shape = tf.as_dtype(expected[name].dtype), expected[name].tensor_shape
            if tf.as_dtype(values.dtype) != dtype and not (dtype == tf.string and values.dtype.kind in "OSU"):
                raise RequestError(
                    "INVALID_ARGUMENT", f"{name} must have the dtype {dtype.name}. Received: {values.dtype}."
                )
            sizes = [dimension.size for dimension in shape.dim]
            fits = len(sizes) == values.ndim and all(
                size in (-1, received) for size, received in zip(sizes, values.shape, strict=True)
            )
            if not fits:
                raise RequestError(
                    "INVALID_ARGUMENT", f"{name} must have the shape {sizes}. Received: {list(values.shape)}."
                )
            rows.add(len(values))
        if len(rows) != 1 or not 1 <= min(rows) <= self.limits.max_batch_rows:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"A request must have between 1 and {self.limits.max_batch_rows} rows, equally many in all inputs. "
                f"Received: {sorted(rows)}.",
            )

    @contextlib.contextmanager
    def _slot(self, timeout):
        """Waits in the queue for a slot, and holds it."""
        if not self._free_places.acquire(blocking=False):
            raise RequestError("RESOURCE_EXHAUSTED", "The queue of requests is full. Try again later.")
        try:
            limit = self.limits.wait_s if timeout is None else min(timeout, self.limits.wait_s)
            start = time.monotonic()
            if not self._free_slots.acquire(timeout=max(limit, 0.0)):
                waited_s = time.monotonic() - start
                raise RequestError("DEADLINE_EXCEEDED", f"The request waited {waited_s:.1f} s in the queue.")
            try:
                yield
            finally:
                self._free_slots.release()
        finally:
            self._free_places.release()


class _Version:
    """One version: the function that runs it, and the signatures of its file."""

    def __init__(self, folder):
        loaded = LoadedModel(folder)
        self.run, self.inputs_of = loaded.run, loaded.inputs_of()
        graph = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
        self.definitions = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in graph.meta_graphs[0].signature_def.items():
            self.definitions.signature_def[name].CopyFrom(definition)
        _warm_up(folder, self.run)


def _warm_up(folder, run):
    """Runs the warm-up requests of a SavedModel, as TensorFlow Serving does before a model becomes available."""
    path = Path(folder) / WARM_UP_FILE
    if not path.is_file():
        return
    try:
        for record in tf.data.TFRecordDataset(str(path)).take(MAX_WARM_UP_REQUESTS):
            request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            run(request.model_spec.signature_name or "serving_default", inputs)
    except Exception as error:  # after any failure, TensorFlow Serving would not serve this model either
        raise InputError(f"A warm-up request of {folder} failed: {error!r}") from error


def tensor_to_array(tensor, max_bytes):
    """Converts a `TensorProto` to an array.

    Args:
        tensor: `TensorProto`.
        max_bytes: int, the largest size of the array. A `TensorProto` may have one value that is repeated to fill its
            shape, so a small message could become an array of any size.

    Returns:
        NumPy array.

    Raises:
        RequestError: INVALID_ARGUMENT, if the content does not match the shape, or the array would be too large.
    """
    try:
        size = tf.as_dtype(tensor.dtype).size or 8  # strings have size 0 here, but each is a pointer to an object
        needed = size * math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
        if needed > max_bytes:
            raise RequestError("INVALID_ARGUMENT", f"A tensor of {needed} bytes is too large.")
        return np.asarray(tf.make_ndarray(tensor))
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError("INVALID_ARGUMENT", f"A tensor is malformed: {error}") from error
