"""A client of TensorFlow Serving's PredictionService: grpc://HOST:PORT/NAME."""

import math
import re
from urllib.parse import urlsplit

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from pix2seq_keras.errors import InputError
from pix2seq_keras.inference.exported import RefusedCallError, sentence_of
from pix2seq_keras.inference.remote.open_remote import open_remote
from pix2seq_keras.inference.remote.retry import RetryPolicy, ServerUnavailableError

# A request of `ExportedDetector` has 32 MB of images, or one larger image, which may take some hundred MB.
MAX_MESSAGE_BYTES = 256 * 2**20
_PATH = re.compile(r"/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]{1,18}))?/?")


def open_grpc(url, retry_policy=None):
    """Opens a model that is served over gRPC.

    Args:
        url: str, `grpc://HOST:PORT/NAME` or `grpc://HOST:PORT/NAME/versions/VERSION`.
        retry_policy: `RetryPolicy` of every call, or `None` for the default.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if the URL is malformed, the server cannot be reached, or the model was not exported by
            `pix2seq export`.

    Example:
        >>> open_grpc("grpc://localhost:8500/digits").detect("image.png")
    """
    return open_remote(GrpcClient(url, retry_policy or RetryPolicy()))


class GrpcClient:
    """Calls one model of a server over gRPC.

    Args:
        url: str, see `open_grpc`.
        retry_policy: `RetryPolicy`.

    Raises:
        InputError: if the URL is malformed.
    """

    def __init__(self, url, retry_policy):
        self.where, target, self._name, self._version = _parse_url(url)
        self._retry_policy = retry_policy
        sizes = [
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ]
        # gRPC's own reconnection backoff grows to minutes; `RetryPolicy` decides about the pauses here.
        backoff = [("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 2000)]
        channel = grpc.insecure_channel(target, options=sizes + backoff)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call(self, signature, inputs):
        """Runs a signature.

        Args:
            signature: str.
            inputs: dictionary of input name to array.

        Returns:
            Dictionary of output name to NumPy array.

        Raises:
            RefusedCallError: if the model cannot use the inputs.
            InputError: if the server cannot be reached or fails.
        """
        request = predict_pb2.PredictRequest()
        self._fill_model_spec(request.model_spec)
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        response = self._send(self._service.Predict, request)
        try:
            return {name: _array(tensor) for name, tensor in response.outputs.items()}
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            raise InputError(f"The response of {self.where} has a malformed tensor: {error!s:.300}") from error

    def signatures(self):
        """Reads the model's signatures.

        Returns:
            Dictionary of signature to the sorted list of its inputs' names.

        Raises:
            InputError: if the server cannot be reached or fails.
        """
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._fill_model_spec(request.model_spec)
        response = self._send(self._service.GetModelMetadata, request)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        try:
            definitions.ParseFromString(response.metadata["signature_def"].value)
        except DecodeError as error:
            raise InputError(f"The response of {self.where} has malformed signatures: {error}") from error
        return {name: sorted(signature.inputs) for name, signature in definitions.signature_def.items()}

    def _fill_model_spec(self, spec):
        spec.name = self._name
        if self._version is not None:
            spec.version.value = self._version

    def _send(self, method, request):
        def attempt(timeout):
            try:
                return method(request, timeout=timeout)
            except grpc.RpcError as error:
                raise self._error_for(error.code(), error.details() or "") from error

        return self._retry_policy.call(attempt)

    def _error_for(self, code, details):
        """The exception for a gRPC status: `ServerUnavailableError` where a retry may help."""
        message = sentence_of(details)
        if code == grpc.StatusCode.UNAVAILABLE:
            if "queue" in details:  # the batching queue is full
                return ServerUnavailableError(f"{self.where} is overloaded: {message}", overloaded=True)
            return ServerUnavailableError(f"{self.where} cannot be reached. Is the server running? ({message})")
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return InputError(
                f"{self.where} did not respond within {self._retry_policy.deadline_s:g} s. Raise the deadline or send "
                "fewer images per request."
            )
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
            return RefusedCallError(message)
        if code == grpc.StatusCode.NOT_FOUND:
            return InputError(f"{self.where}: the server has no such model or version: {message}")
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            if "larger than max" in details or "message larger" in details.lower():
                return InputError(
                    f"{self.where}: a message was too large. Send fewer or smaller images per request. ({message})"
                )
            return ServerUnavailableError(f"{self.where} is overloaded: {message}", overloaded=True)
        if code == grpc.StatusCode.UNIMPLEMENTED:
            return InputError(
                f"{self.where}: the server speaks gRPC but has no PredictionService of TensorFlow Serving. ({message})"
            )
        return InputError(f"{self.where} failed ({code.name}): {message}")


def _array(tensor):
    """A tensor as array. One value may stand for a whole shape, so a few bytes could fill the memory."""
    sides = [side.size for side in tensor.tensor_shape.dim]
    if min(sides, default=0) < 0 or math.prod(sides) > MAX_MESSAGE_BYTES // 4:
        raise ValueError(f"its shape is {sides[:8]}")
    return tf.make_ndarray(tensor)


def _parse_url(url):
    """The normalised URL, HOST:PORT, the model's name, and its version or `None`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port that is not a number, or an IPv6 address without its bracket
        raise _malformed_url(url, f" ({error})") from error
    path = _PATH.fullmatch(parts.path)
    if (
        parts.scheme != "grpc"
        or not host
        or not port
        or not path
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise _malformed_url(url)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    version = path["version"]
    return f"grpc://{target}{parts.path.rstrip('/')}", target, path["name"], int(version) if version else None


def _malformed_url(url, reason=""):
    return InputError(
        "The URL of a served model must be grpc://HOST:PORT/NAME or grpc://HOST:PORT/NAME/versions/VERSION. "
        f"Received: {url!r}{reason}."
    )
