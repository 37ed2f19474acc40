"""The REST interface over real connections, malicious clients included."""

import base64
import contextlib
import json
import socket
import time

import pytest
import requests


@pytest.fixture
def url(server):
    return server.rest_url


def b64(data):
    return {"b64": base64.b64encode(data).decode()}


def raw(server, data, wait=0.0):
    """Sends raw bytes: (status, JSON body), or `None` where there is none."""
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=10) as connection:
        connection.sendall(data)
        time.sleep(wait)
        response = b""
        while part := connection.recv(65536):
            response += part
    head, _, body = response.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else None, json.loads(body) if body else None


# === The documented interface ===


def test_predict_returns_rows_for_rows_and_columns_for_columns(url, red_png):
    rows = requests.post(f"{url}:predict", json={"instances": [b64(red_png), b64(red_png)]}, timeout=10)
    columns = requests.post(f"{url}:predict", json={"inputs": {"image_bytes": [b64(red_png)]}}, timeout=10)
    assert rows.headers["Content-Type"] == "application/json"
    first, second = rows.json()["predictions"]
    assert first == second
    assert first["detection_names"] == ["cat", "", ""]
    assert first["detection_scores"][0] == pytest.approx(200 / 255)
    assert columns.json()["outputs"] == {name: [values] for name, values in first.items()}


def test_a_request_may_name_a_version_and_a_signature(url, red_png):
    old = requests.post(f"{url}/versions/3:predict", json={"instances": [b64(red_png)]}, timeout=10).json()
    assert old["predictions"][0]["detection_scores"][0] == pytest.approx(100 / 255)
    request = {"signature_name": "describe", "instances": ["x"]}
    (text,) = requests.post(f"{url}:predict", json=request, timeout=10).json()["predictions"]
    assert json.loads(text)["format"] == "pix2seq_keras"


def test_status_and_metadata_have_the_documented_format(url):
    status = requests.get(f"{url}/versions/12", timeout=10).json()
    assert status == {
        "model_version_status": [
            {"version": "12", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    assert len(requests.get(url, timeout=10).json()["model_version_status"]) == 2
    metadata = requests.get(f"{url}/metadata", timeout=10).json()
    assert metadata["model_spec"] == {"name": "toy", "signature_name": "", "version": "12"}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert signature["outputs"]["detection_boxes"]["tensor_shape"]["dim"][-1]["size"] == "4"


@pytest.mark.parametrize(
    "path, status, message",
    [
        ("/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        ("/v1/models/toy/versions/4:predict", 404, "Specific(toy, 4)"),
        ("/v1/models/toy/versions/99999999999999999999:predict", 404, "Malformed"),
        ("/v1/models/toy:classify", 404, "Malformed"),
        ("/", 404, "Malformed"),
        ("/v1/models/toy", 400, "Malformed"),
    ],
)
def test_invalid_paths_get_a_json_error(server, path, status, message):
    response = requests.post(f"http://127.0.0.1:{server.rest_port}{path}", json={"instances": ["x"]}, timeout=10)
    assert response.status_code == status
    assert message in response.json()["error"]


def test_invalid_bodies_get_a_json_error(url, red_png):
    for body, message in (
        (b"{", "JSON Parse error"),
        (json.dumps({"instances": [b64(b"text")]}).encode(), "An image must be a JPEG"),
        (json.dumps({"instances": [b64(red_png)] * 5}).encode(), "between 1 and 4 rows"),
        (json.dumps({"instances": ["x"], "signature_name": "y"}).encode(), "not found"),
    ):
        response = requests.post(f"{url}:predict", data=body, timeout=10)
        assert response.status_code == 400
        assert message in response.json()["error"]
    assert requests.get(f"{url}:predict", timeout=10).status_code == 400


def test_an_unexpected_exception_gets_a_json_error_without_details(server, url, red_png, monkeypatch):
    def broken(*arguments):
        raise KeyError("secret")

    monkeypatch.setattr(server.model, "run", broken)
    response = requests.post(f"{url}:predict", json={"instances": [b64(red_png)]}, timeout=10)
    assert (response.status_code, response.json()) == (500, {"error": "The server failed: KeyError."})


# === Limits ===


def test_a_request_that_is_too_large_is_refused_before_it_is_received(server, url):
    response = requests.post(f"{url}:predict", data=bytes(5_000_000), timeout=10)
    assert response.status_code == 413
    assert "524288" in response.json()["error"]
    status, _ = raw(server, b"POST /v1/models/toy:predict HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
    assert status == 413


def test_a_request_with_a_missing_or_invalid_length_is_refused(server):
    head = b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: x\r\n"
    assert raw(server, head + b"\r\n")[0] == 411
    assert raw(server, head + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n")[0] == 411
    assert raw(server, head + b"Content-Length: -3\r\n\r\n")[0] == 400
    assert raw(server, head + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")[0] == 400
    assert raw(server, b"nonsense\r\n\r\n")[0] == 400
    assert raw(server, b"PUT / HTTP/1.1\r\n\r\n")[0] == 501
    assert raw(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n")[0] == 414


def test_clients_that_send_nothing_or_trickle_are_disconnected_at_the_timeout(server):
    start = time.monotonic()
    assert raw(server, b"")[0] is None
    slow = b"POST /v1/models/toy:predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"
    assert raw(server, slow)[0] == 408
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=10) as connection:
        for _ in range(6):  # further bytes do not restart the timeout
            try:
                connection.sendall(b"G")
            except OSError:
                break
            time.sleep(0.3)
        connection.settimeout(3)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    assert time.monotonic() - start < 12


def test_connections_are_limited_and_released_when_closed(server, url):
    held = [socket.create_connection(("127.0.0.1", server.rest_port), timeout=10) for _ in range(8)]
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)
    for connection in held:
        connection.close()
    for _ in range(50):
        try:
            assert requests.get(url, timeout=10).status_code == 200
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    else:
        pytest.fail("closed connections are not released")


def test_one_connection_serves_many_requests(url):
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(url, timeout=10).status_code == 200
            assert session.post(f"{url}:predict", data=b"{", timeout=10).status_code == 400
