"""The model behind both interfaces: its versions, its signatures, and one queue for all who ask."""

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
from pix2seq_keras.exporting.saved_model.warm_up import WARM_UP_FILE
from pix2seq_keras.inference import RefusedCallError
from pix2seq_keras.inference.saved_model import LoadedModel, versions_in


class RequestError(Exception):
    """A request that gets an error for its answer.

    Args:
        code: str, the name of a gRPC status.
        message: str.
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


class ServedModel:
    """A SavedModel's versions, loaded and warm.

    Args:
        name: str, what clients call it.
        path: base folder or the folder of a version.
        limits: `Limits`.
        all_versions: bool, whether versions below the highest are loaded too.

    Raises:
        InputError: if there is none, or it cannot be loaded or does not stand its own warm-up requests.
    """

    def __init__(self, name, path, limits, all_versions=False):
        found = versions_in(path)
        if not found:
            raise InputError(
                f"{path} holds no SavedModel: neither saved_model.pb nor a numbered folder with one. "
                "`pix2seq export --format saved_model` writes one."
            )
        self.name = name
        self.limits = limits
        self.parsing = threading.Lock()
        self._turns = threading.Semaphore(limits.max_concurrent)
        self._waiting = threading.Semaphore(limits.max_concurrent + limits.max_waiting)
        self.versions = {
            version: _Version(folder) for version, folder in found.items() if all_versions or version == max(found)
        }

    def version(self, name, version=None):
        """The version a request asks for: its number.

        Args:
            name: str.
            version: int or `None` for the highest.

        Raises:
            RequestError: NOT_FOUND.
        """
        if name != self.name or (version is not None and version not in self.versions):
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {asked}")
        return max(self.versions) if version is None else version

    def signature(self, version, name):
        """The `SignatureDef` of a version. Raises `RequestError` if there is none of that name."""
        known = self.versions[version].definitions.signature_def
        if name not in known or name not in self.versions[version].inputs_of:
            raise RequestError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        return known[name]

    def run(self, version, signature, inputs, seconds=None):
        """Runs a signature when its turn has come.

        Args:
            version: int.
            signature: str.
            inputs: dictionary of name -> array.
            seconds: float or `None`, how long the client still waits.

        Returns:
            Dictionary of name -> NumPy array.

        Raises:
            RequestError: if the inputs do not fit, the model refuses them, or there is too much to do.
        """
        self._check(self.signature(version, signature), inputs)
        with self._turn(seconds):
            try:
                return self.versions[version].run(signature, inputs)
            except RefusedCallError as error:
                raise RequestError("INVALID_ARGUMENT", str(error)) from error
            except (tf.errors.OpError, ValueError, TypeError) as error:
                raise RequestError("INTERNAL", f"The model failed: {type(error).__name__}.") from error

    def _check(self, definition, inputs):
        wanted = definition.inputs
        if set(inputs) != set(wanted):
            raise RequestError(
                "INVALID_ARGUMENT",
                f"The signature takes the inputs {{{', '.join(sorted(wanted))}}}. "
                f"Received: {{{', '.join(sorted(inputs))}}}.",
            )
        rows = set()
        for name, values in inputs.items():
            dtype, shape = tf.as_dtype(wanted[name].dtype), wanted[name].tensor_shape
            if tf.as_dtype(values.dtype) != dtype and not (dtype == tf.string and values.dtype.kind in "OSU"):
                raise RequestError("INVALID_ARGUMENT", f"{name} must be {dtype.name}. Received: {values.dtype}.")
            sizes = [dimension.size for dimension in shape.dim]
            fits = len(sizes) == values.ndim and all(w in (-1, h) for w, h in zip(sizes, values.shape, strict=True))
            if not fits:
                raise RequestError("INVALID_ARGUMENT", f"{name} must be {sizes}. Received: {list(values.shape)}.")
            rows.add(len(values))
        if len(rows) != 1 or not 1 <= min(rows) <= self.limits.max_batch_rows:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"A request has between 1 and {self.limits.max_batch_rows} rows, as many in all inputs. "
                f"Received: {sorted(rows)}.",
            )

    @contextlib.contextmanager
    def _turn(self, seconds):
        if not self._waiting.acquire(blocking=False):
            raise RequestError("RESOURCE_EXHAUSTED", "Too many requests are waiting already: come back later.")
        try:
            limit = self.limits.wait_s if seconds is None else min(seconds, self.limits.wait_s)
            start = time.monotonic()
            if not self._turns.acquire(timeout=max(limit, 0.0)):
                raise RequestError("DEADLINE_EXCEEDED", f"No turn came in {time.monotonic() - start:.1f} s.")
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._waiting.release()


class _Version:
    """One version: what runs it, and its signatures as the file has them."""

    def __init__(self, folder):
        loaded = LoadedModel(folder)
        self.run, self.inputs_of = loaded.run, loaded.inputs_of()
        graph = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
        self.definitions = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in graph.meta_graphs[0].signature_def.items():
            self.definitions.signature_def[name].CopyFrom(definition)
        _warm_up(folder, self.run)


def _warm_up(folder, run):
    """Plays the requests that TensorFlow Serving would play before it says that a model is available."""
    path = Path(folder) / WARM_UP_FILE
    if not path.is_file():
        return
    try:
        for record in tf.data.TFRecordDataset(str(path)).take(1000):
            request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            run(request.model_spec.signature_name or "serving_default", inputs)
    except Exception as error:  # whatever it is, the real server would not serve this model either
        raise InputError(f"{folder} does not stand its own warm-up requests: {error!r}") from error


def as_array(tensor, most_bytes):
    """A `TensorProto` as an array.

    Args:
        tensor: `TensorProto`.
        most_bytes: int. One value may stand for all of a tensor: a few bytes could become any number of them.

    Raises:
        RequestError: if its content does not fit its shape, or is more than that.
    """
    try:
        size = tf.as_dtype(tensor.dtype).size or 8  # of texts it is 0, but each is an object
        needed = size * math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
        if needed > most_bytes:
            raise RequestError("INVALID_ARGUMENT", f"A tensor has {needed} bytes, more than are accepted.")
        return np.asarray(tf.make_ndarray(tensor))
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestError("INVALID_ARGUMENT", f"A tensor cannot be read: {error}") from error
