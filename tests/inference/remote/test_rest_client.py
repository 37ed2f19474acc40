"""The REST client: every response becomes outputs or an `InputError`, and temporary failures are retried."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.inference import RefusedCallError, RetryPolicy, open_model
from pix2seq_keras.inference.remote import rest_client
from pix2seq_keras.inference.remote.rest_client import RestClient

SHORT = RetryPolicy(deadline_s=5, connect_timeout_s=0.5, initial_backoff_s=0.05)


class ScriptedHandler(BaseHTTPRequestHandler):
    """Sends the responses of a list of (status, body, *headers) one by one, and the last one again and again."""

    def do_GET(self):
        index = min(len(self.server.requests), len(self.server.responses) - 1)
        status, body, *headers = self.server.responses[index]
        self.server.requests.append((self.command, self.path))
        if callable(body):
            return body(self)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def script():
    """A function that serves responses, and returns the URL and the growing list of requests."""
    servers = []

    def start(*responses):
        server = ThreadingHTTPServer(("127.0.0.1", 0), ScriptedHandler)
        server.responses, server.requests = responses, []
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/v1/models/toy", server.requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def describe_inputs():
    return {"keys": np.array([b""], object)}


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://host:8501",
        "http://host:8501/v1/models/",
        "http://host:8501/v1/models/a/b",
        "http://host:port/v1/models/a",
        "http://host:99999/v1/models/a",
        "http://host:8501/v1/models/a:classify",
        "http://host:8501/v1/models/a?x=1",
        "http://user:word@host/v1/models/a",
    ],
)
def test_malformed_urls_are_refused_with_the_expected_form(url):
    with pytest.raises(InputError, match=r"must be http://HOST:PORT/v1/models/NAME or .* Received: 'http://"):
        open_model(url)


@pytest.mark.parametrize("ending", ["", "/", ":predict", "/versions/12", "/versions/12:predict", "/metadata"])
def test_urls_may_end_in_a_slash_predict_or_metadata(toy_server, ending):
    detector = open_model(toy_server.rest_url + ending, SHORT)
    assert detector.detect(np.full((4, 4, 3), 255, np.uint8))["num_detections"] == [2]


def test_a_url_may_have_a_path_before_v1():
    assert RestClient("https://host/team/v1/models/a", SHORT).where == "https://host/team/v1/models/a"


def test_a_missing_server_is_an_error_within_the_connection_timeout():
    start = time.monotonic()
    with pytest.raises(InputError, match=r"cannot be reached. Is the server running\? \(.*refused"):
        open_model("http://127.0.0.1:9/v1/models/toy", SHORT)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "status, body, message",
    [
        (200, b"<html>hello</html>", "not respond as TensorFlow Serving does.*<html>"),
        (200, b"[1]", "not respond as TensorFlow Serving does"),
        (200, {}, "metadata has no signature_def"),
        (200, {"metadata": {"signature_def": {"signature_def": [1]}}}, "metadata has no signature_def"),
        (200, b"[" * 100_000, "not respond as TensorFlow Serving does"),
        (404, {"error": "Servable not found"}, "no such model, version or path: Servable not found"),
        (404, b"not here", "no such model"),
        (400, {"error": "bad thing"}, "refused the request for its description: bad thing"),
        (413, {"error": "too much"}, "too large"),
        (500, {"error": "broken"}, r"failed \(HTTP 500\): broken"),
        (504, {"error": "late"}, "server's own timeout"),
        (401, b"", r"failed \(HTTP 401\)"),
        (500, b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}", r"failed \(HTTP 500\)"),
        (500, {"error": "x" * 10**6}, r"failed \(HTTP 500\): xxx"),
    ],
)
def test_unusable_responses_are_short_errors_without_a_retry(script, status, body, message):
    url, requests = script((status, body))
    with pytest.raises(InputError, match=message) as refusal:
        open_model(url, SHORT)
    assert len(requests) == 1 and len(str(refusal.value)) < 1200


def test_a_redirect_is_an_error_and_is_not_followed(script):
    url, requests = script((302, b"", ("Location", "http://127.0.0.1:1/elsewhere")))
    with pytest.raises(InputError, match=r"redirects.* Use 'http://127.0.0.1:1/elsewhere'"):
        open_model(url, SHORT)
    assert len(requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_requests_to_an_overloaded_server_are_retried(script, status):
    url, requests = script((status, {"error": "busy"}), (status, b"busy"), (200, {"outputs": {}}))
    assert RestClient(url, SHORT).call("describe", describe_inputs()) == {}
    assert requests == [("POST", "/v1/models/toy:predict")] * 3


def test_retries_to_an_overloaded_server_end_at_the_deadline(script):
    url, requests = script((503, {"error": "busy"}))
    with pytest.raises(InputError, match="overloaded: busy"):
        RestClient(url, RetryPolicy(deadline_s=0.5, initial_backoff_s=0.1)).call("describe", describe_inputs())
    assert 2 <= len(requests) <= 10


def test_a_broken_connection_is_retried(script):
    url, requests = script((0, lambda handler: handler.connection.close()), (200, {"outputs": {}}))
    assert RestClient(url, SHORT).call("describe", describe_inputs()) == {}
    assert len(requests) == 2


def test_a_slow_or_trickling_response_ends_at_the_deadline(script):
    def trickle(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(80):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    for respond in (lambda handler: time.sleep(4), trickle):
        url, _ = script((200, respond))
        start = time.monotonic()
        with pytest.raises(InputError, match=r"did not respond within 0.4 s"):
            RestClient(url, RetryPolicy(deadline_s=0.4, connect_timeout_s=0.2)).call("describe", describe_inputs())
        assert time.monotonic() - start < 3.5


def test_a_response_that_is_too_large_is_not_read_to_its_end(script, monkeypatch):
    monkeypatch.setattr(rest_client, "MAX_RESPONSE_BYTES", 100_000)
    url, _ = script((200, {"outputs": "x" * 200_000}))
    with pytest.raises(InputError, match="has more than"):
        RestClient(url, SHORT).call("describe", describe_inputs())


def test_outputs_that_do_not_match_the_metadata_are_refused(script):
    signature = {"inputs": {"keys": {"dtype": "DT_STRING"}}, "outputs": {"a": {"dtype": "DT_FLOAT"}, "b": {}}}
    signature["outputs"]["b"]["dtype"] = "DT_INT32"
    metadata = {"metadata": {"signature_def": {"signature_def": {"describe": signature}}}}
    others = (
        {"a": [10**400], "b": [1]},
        {"a": [1.0], "b": [2**40]},
        {"a": [{}], "b": [1]},
        {"a": 1, "b": float("inf")},
    )
    for outputs in ([1], {"a": [1.0], "c": [1]}, {"a": ["x"], "b": [1]}, {"a": [[1], [1, 2]], "b": [1]}, *others):
        url, _ = script((200, metadata), (200, {"outputs": outputs}))
        client = RestClient(url, SHORT)
        assert client.signatures() == {"describe": ["keys"]}
        with pytest.raises(InputError, match="does not match its metadata"):
            client.call("describe", describe_inputs())


def test_a_refusal_by_the_model_is_raised_with_its_message(toy_server):
    client = RestClient(toy_server.rest_url, SHORT)
    with pytest.raises(RefusedCallError, match=r"^An image must be a JPEG"):
        client.call("serving_default", {"image_bytes": np.array([b"text"], object)})
    with pytest.raises(RefusedCallError, match="not found"):
        client.call("nothing", {"image_bytes": np.array([b"text"], object)})
