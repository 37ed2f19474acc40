"""The gRPC client: every failure is an `InputError`, and temporary failures are retried."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from pix2seq_keras import InputError
from pix2seq_keras.inference import RetryPolicy, open_model
from pix2seq_keras.inference.remote.grpc_client import GrpcClient

IMAGE = np.full((8, 8, 3), (255, 0, 0), np.uint8)
SHORT = RetryPolicy(deadline_s=5, connect_timeout_s=0.5, initial_backoff_s=0.05)


class Failing(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Fails a number of times, then forwards calls to another server."""

    def __init__(self, url, failures, code, details):
        self.target = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(url.split("/")[2]))
        self.failures, self.code, self.details, self.calls = failures, code, details, 0

    def _fail_or_forward(self, method, request, context):
        self.calls += 1
        if self.calls <= self.failures:
            context.abort(self.code, self.details)
        return method(request, timeout=10)

    def Predict(self, request, context):  # noqa: N802
        return self._fail_or_forward(self.target.Predict, request, context)

    def GetModelMetadata(self, request, context):  # noqa: N802
        return self._fail_or_forward(self.target.GetModelMetadata, request, context)


@pytest.fixture
def serve():
    """A function that starts a server with a servicer, or with none, and returns its URL."""
    servers = []

    def start(servicer=None):
        servers.append(grpc.server(ThreadPoolExecutor(4)))
        if servicer is not None:
            prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, servers[-1])
        port = servers[-1].add_insecure_port("127.0.0.1:0")
        servers[-1].start()
        return f"grpc://127.0.0.1:{port}/toy"

    yield start
    for server in servers:
        server.stop(0)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    "url",
    [
        "grpc://",
        "grpc://host/name",
        "grpc://host:8500",
        "grpc://host:8500/",
        "grpc://:8500/name",
        "grpc://host:port/name",
        "grpc://host:99999/name",
        "grpc://host:8500/a/b",
        "grpc://host:8500/name/versions/new",
        "grpc://host:8500/name/versions/99999999999999999999",
        "grpc://host:8500/name?x=1",
        "grpc://user@host:8500/name",
        "grpc://[::1:8500/name",
    ],
)
def test_malformed_urls_are_refused_with_the_expected_form(url):
    with pytest.raises(InputError, match=r"must be grpc://HOST:PORT/NAME or .* Received: 'grpc://"):
        open_model(url)


def test_a_url_may_name_a_version(toy_server):
    assert open_model(f"{toy_server.grpc_url}/versions/12", SHORT).detect(IMAGE)["scores"][0, 0] == 1
    with pytest.raises(InputError, match=r"no such model or version: .*Specific\(toy, 3\)"):
        open_model(f"{toy_server.grpc_url}/versions/3", SHORT)


def test_a_missing_server_is_an_error_within_the_connection_timeout():
    start = time.monotonic()
    with pytest.raises(InputError, match=r"cannot be reached. Is the server running\?"):
        open_model(f"grpc://127.0.0.1:{free_port()}/toy", SHORT)
    assert time.monotonic() - start < 5


def test_a_server_that_starts_later_is_waited_for(served_toy):
    from pix2seq_keras.serving import ModelServer

    port, servers = free_port(), []
    start = lambda: servers.append(ModelServer(served_toy, "toy", grpc_port=port, rest_port=0).start())
    threading.Timer(1.0, start).start()
    try:
        detector = open_model(f"grpc://127.0.0.1:{port}/toy", RetryPolicy(deadline_s=30, connect_timeout_s=30))
        assert detector.detect(IMAGE)["num_detections"] == [1]
    finally:
        while not servers:
            time.sleep(0.05)
        servers[0].stop()


@pytest.mark.parametrize(
    "code, details", [("UNAVAILABLE", "down"), ("RESOURCE_EXHAUSTED", "busy"), ("UNAVAILABLE", "the queue is full")]
)
def test_temporary_failures_are_retried(serve, toy_server, code, details):
    service = Failing(toy_server.grpc_url, 3, grpc.StatusCode[code], details)
    detector = open_model(serve(service), SHORT)
    assert detector.detect(IMAGE)["num_detections"] == [1]
    assert service.calls == 6  # three failures, then metadata, description and detections


@pytest.mark.parametrize(
    "code, details, message",
    [
        ("NOT_FOUND", "Servable not found", "no such model or version"),
        ("INVALID_ARGUMENT", "bad thing", "refused the request for its description: bad thing"),
        ("INTERNAL", "broken", r"failed \(INTERNAL\): broken"),
        ("RESOURCE_EXHAUSTED", "Received message larger than max (9 vs. 4)", "too large"),
    ],
)
def test_other_failures_are_errors_without_a_retry(serve, toy_server, code, details, message):
    service = Failing(toy_server.grpc_url, 1, grpc.StatusCode[code], details)
    with pytest.raises(InputError, match=message):
        open_model(serve(service), SHORT)
    assert service.calls == 1


def test_a_slow_call_ends_at_the_deadline(serve, toy_server):
    service = Failing(toy_server.grpc_url, 0, None, "")
    client = GrpcClient(serve(service), RetryPolicy(deadline_s=0.3, connect_timeout_s=0.3))
    service.Predict = service._fail_or_forward = lambda *call: time.sleep(3)
    start = time.monotonic()
    with pytest.raises(InputError, match=r"did not respond within 0.3 s. Raise the deadline"):
        client.call("describe", {"keys": np.array([b""], object)})
    assert time.monotonic() - start < 2.8


def test_a_grpc_server_without_a_prediction_service_is_refused(serve):
    with pytest.raises(InputError, match="no PredictionService"):
        open_model(serve(), SHORT)


def test_an_image_too_large_for_the_server_is_an_error(served_toy):
    from pix2seq_keras.serving import Limits, ModelServer

    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    with ModelServer(served_toy, "toy", grpc_port=0, rest_port=0, limits=Limits(max_message_mb=0.1)) as server:
        for url in (server.grpc_url, server.rest_url):
            with pytest.raises(InputError, match=r"too large\. Send fewer or smaller images"):
                open_model(url, SHORT).detect(noise)


@pytest.mark.parametrize("sides", [[2**31], [2**16, 2**16], [-1], [2**62, 4]])
def test_a_tensor_of_a_few_bytes_that_stands_for_gigabytes_is_refused(monkeypatch, sides):
    response = predict_pb2.PredictResponse()
    response.outputs["a"].CopyFrom(tf.make_tensor_proto([1.0]))
    del response.outputs["a"].tensor_shape.dim[:]
    for side in sides:
        response.outputs["a"].tensor_shape.dim.add(size=side)
    monkeypatch.setattr("tensorflow.make_ndarray", lambda tensor: pytest.fail("the tensor was made"))
    client = GrpcClient("grpc://127.0.0.1:1/toy", SHORT)
    monkeypatch.setattr(client, "_send", lambda method, request: response)

    with pytest.raises(InputError, match="malformed tensor: its shape is"):
        client.call("serving_default", {"image_bytes": np.array([b""], object)})
