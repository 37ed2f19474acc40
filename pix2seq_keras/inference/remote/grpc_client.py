"""grpc://HOST:PORT/NAME: a model behind the PredictionService of TensorFlow Serving."""

import re
from urllib.parse import urlsplit

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from pix2seq_keras.errors import InputError
from pix2seq_keras.inference.exported import RefusedCallError, sentence_of
from pix2seq_keras.inference.remote.retry import RetryPolicy, ServerUnavailableError
from pix2seq_keras.inference.remote.served import open_served

# A call of `ExportedDetector` carries 32 MB of images, or one larger image of at most some hundred.
MOST_BYTES = 256 * 2**20
_PATH = re.compile(r"/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]{1,18}))?/?")


def open_grpc(url, retry_policy=None):
    """Opens a served model.

    Args:
        url: str, `grpc://HOST:PORT/NAME` or `grpc://HOST:PORT/NAME/versions/VERSION`.
        retry_policy: `RetryPolicy` of every call, or `None` for the default.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if the URL is malformed, nobody answers there, or it is not a model of `pix2seq export`.
    """
    return open_served(GrpcClient(url, retry_policy or RetryPolicy()))


class GrpcClient:
    """Calls to one model of one server.

    Args:
        url: str, see `open_grpc`.
        retry_policy: `RetryPolicy`.
    """

    def __init__(self, url, retry_policy):
        self.where, target, self._name, self._version = _parts(url)
        self._retry_policy = retry_policy
        sizes = [("grpc.max_send_message_length", MOST_BYTES), ("grpc.max_receive_message_length", MOST_BYTES)]
        # The pauses between attempts are ours; gRPC's own go up to minutes.
        backoff = [("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 2000)]
        channel = grpc.insecure_channel(target, options=sizes + backoff)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call(self, signature, inputs):
        """See `ExportedDetector`."""
        request = predict_pb2.PredictRequest()
        self._address(request.model_spec)
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        response = self._ask(self._service.Predict, request)
        try:
            return {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.where} answered with a tensor that cannot be read: {error}") from error

    def signatures(self):
        """Dictionary of the model's signatures -> the names of their inputs."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._address(request.model_spec)
        response = self._ask(self._service.GetModelMetadata, request)
        known = get_model_metadata_pb2.SignatureDefMap()
        try:
            known.ParseFromString(response.metadata["signature_def"].value)
        except DecodeError as error:
            raise InputError(f"{self.where} answered with signatures that cannot be read: {error}") from error
        return {name: sorted(signature.inputs) for name, signature in known.signature_def.items()}

    def _address(self, spec):
        spec.name = self._name
        if self._version is not None:
            spec.version.value = self._version

    def _ask(self, method, request):
        def attempt(seconds):
            try:
                return method(request, timeout=seconds)
            except grpc.RpcError as error:
                raise self._told(error.code(), error.details() or "") from error

        return self._retry_policy.call(attempt)

    def _told(self, code, details):
        """The exception for a failed call."""
        said = sentence_of(details)
        if code == grpc.StatusCode.UNAVAILABLE:
            if "queue" in details:  # of batches, which is full
                return ServerUnavailableError(f"{self.where} is overloaded: {said}", reached=True)
            return ServerUnavailableError(f"{self.where} cannot be reached: is the server running there? ({said})")
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return InputError(
                f"{self.where} did not answer within {self._retry_policy.deadline_s:g} s: allow more time, or send "
                "fewer images at once."
            )
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
            return RefusedCallError(said)
        if code == grpc.StatusCode.NOT_FOUND:
            return InputError(f"The server of {self.where} does not know this model or version: {said}")
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            if "larger than max" in details or "message larger" in details.lower():
                return InputError(
                    f"A message to or from {self.where} was too large: send fewer or smaller images at once. ({said})"
                )
            return ServerUnavailableError(f"{self.where} is overloaded: {said}", reached=True)
        if code == grpc.StatusCode.UNIMPLEMENTED:
            return InputError(
                f"{self.where} is a gRPC server, but no PredictionService of TensorFlow Serving. ({said})"
            )
        return InputError(f"{self.where} failed ({code.name}): {said}")


def _parts(url):
    """The URL without what it need not have, HOST:PORT, the model's name, and its version or `None`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:  # a port that is no number, an IPv6 address without its bracket
        raise _malformed(url, str(error)) from error
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
        raise _malformed(url, "it must be grpc://HOST:PORT/NAME or grpc://HOST:PORT/NAME/versions/VERSION")
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    version = path["version"]
    return f"grpc://{target}{parts.path.rstrip('/')}", target, path["name"], int(version) if version else None


def _malformed(url, why):
    return InputError(f"{url!r} is no address of a served model: {why}.")
