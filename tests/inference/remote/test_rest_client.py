"""http://…: whatever answers there, it becomes detections or a sentence."""

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

SHORT = RetryPolicy(deadline_s=5, connect_s=0.5, first_pause_s=0.05)


class Scripted(BaseHTTPRequestHandler):
    """Answers as the server's list of (status, body) says, the last one for ever."""

    def do_GET(self):
        status, body, *headers = self.server.answers[min(len(self.server.asked), len(self.server.answers) - 1)]
        self.server.asked.append((self.command, self.path))
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
    """Serves answers; gives back the URL and the list of what was asked."""
    servers = []

    def start(*answers):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
        server.answers, server.asked = answers, []
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/v1/models/toy", server.asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def keys():
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
def test_malformed_urls_are_told_how_to_be(url):
    with pytest.raises(InputError, match="no address of a served model"):
        open_model(url)


@pytest.mark.parametrize("ending", ["", "/", ":predict", "/versions/12", "/versions/12:predict", "/metadata"])
def test_urls_may_end_as_they_are_copied(toy_server, ending):
    detector = open_model(toy_server.rest_url + ending, SHORT)
    assert detector.detect(np.full((4, 4, 3), 255, np.uint8))["num_detections"] == [2]


def test_a_gateway_may_put_a_path_before_it():
    assert RestClient("https://host/team/v1/models/a", SHORT).where == "https://host/team/v1/models/a"


def test_nobody_there_is_a_sentence_in_bounded_time(script):
    start = time.monotonic()
    with pytest.raises(InputError, match=r"cannot be reached: is the server running there\? \(.*refused"):
        open_model("http://127.0.0.1:9/v1/models/toy", SHORT)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "status, body, said",
    [
        (200, b"<html>hello</html>", "not as TensorFlow Serving does.*<html>"),
        (200, b"[1]", "not as TensorFlow Serving does"),
        (200, {}, "metadata has no signature_def"),
        (200, {"metadata": {"signature_def": {"signature_def": [1]}}}, "metadata has no signature_def"),
        (200, b"[" * 100_000, "not as TensorFlow Serving does"),
        (404, {"error": "Servable not found"}, "does not know this model, version or path: Servable not found"),
        (404, b"not here", "does not know this model"),
        (400, {"error": "bad thing"}, "does not tell what it is: bad thing"),
        (413, {"error": "too much"}, "too large"),
        (500, {"error": "broken"}, r"failed \(HTTP 500\): broken"),
        (504, {"error": "late"}, "server's own time limit"),
        (401, b"", r"failed \(HTTP 401\)"),
    ],
)
def test_answers_that_are_none_are_sentences_at_once(script, status, body, said):
    url, asked = script((status, body))
    with pytest.raises(InputError, match=said) as refusal:
        open_model(url, SHORT)
    assert len(asked) == 1 and len(str(refusal.value)) < 400


def test_a_redirection_is_told_and_not_followed(script):
    url, asked = script((302, b"", ("Location", "http://127.0.0.1:1/elsewhere")))
    with pytest.raises(InputError, match=r"elsewhere: use 'http://127.0.0.1:1/elsewhere'"):
        open_model(url, SHORT)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_server_is_asked_again(script, status):
    url, asked = script((status, {"error": "busy"}), (status, b"busy"), (200, {"outputs": {}}))
    assert RestClient(url, SHORT).call("describe", keys()) == {}
    assert asked == [("POST", "/v1/models/toy:predict")] * 3


def test_an_overloaded_server_is_not_asked_for_ever(script):
    url, asked = script((503, {"error": "busy"}))
    with pytest.raises(InputError, match="overloaded: busy"):
        RestClient(url, RetryPolicy(deadline_s=0.5, first_pause_s=0.1)).call("describe", keys())
    assert 2 <= len(asked) <= 10


def test_a_connection_that_breaks_is_tried_again(script):
    url, asked = script((0, lambda handler: handler.connection.close()), (200, {"outputs": {}}))
    assert RestClient(url, SHORT).call("describe", keys()) == {}
    assert len(asked) == 2


def test_a_slow_or_trickling_answer_meets_the_deadline(script):
    def trickle(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(80):
            handler.wfile.write(b" ")
            time.sleep(0.05)

    for answer in (lambda handler: time.sleep(4), trickle):
        url, _ = script((200, answer))
        start = time.monotonic()
        with pytest.raises(InputError, match=r"did not answer within 0.4 s"):
            RestClient(url, RetryPolicy(deadline_s=0.4, connect_s=0.2)).call("describe", keys())
        assert time.monotonic() - start < 3.5


def test_an_answer_that_is_too_long_is_not_read_to_its_end(script, monkeypatch):
    monkeypatch.setattr(rest_client, "MOST_BYTES", 100_000)
    url, _ = script((200, {"outputs": "x" * 200_000}))
    with pytest.raises(InputError, match="answered with more than"):
        RestClient(url, SHORT).call("describe", keys())


def test_outputs_that_its_metadata_do_not_know_are_refused(script):
    signature = {"inputs": {"keys": {"dtype": "DT_STRING"}}, "outputs": {"a": {"dtype": "DT_FLOAT"}, "b": {}}}
    signature["outputs"]["b"]["dtype"] = "DT_INT32"
    metadata = {"metadata": {"signature_def": {"signature_def": {"describe": signature}}}}
    for outputs in ([1], {"a": [1.0], "c": [1]}, {"a": ["x"], "b": [1]}, {"a": [[1], [1, 2]], "b": [1]}):
        url, _ = script((200, metadata), (200, {"outputs": outputs}))
        client = RestClient(url, SHORT)
        assert client.signatures() == {"describe": ["keys"]}
        with pytest.raises(InputError, match="not as its own metadata says"):
            client.call("describe", keys())


def test_what_the_model_refuses_is_handed_on(toy_server):
    client = RestClient(toy_server.rest_url, SHORT)
    with pytest.raises(RefusedCallError, match=r"^An image must be a JPEG"):
        client.call("serving_default", {"image_bytes": np.array([b"text"], object)})
    with pytest.raises(RefusedCallError, match="not found"):
        client.call("nothing", {"image_bytes": np.array([b"text"], object)})
