"""The server with both interfaces: start, stop and ports."""

import socket

import pytest
import requests

from pix2seq_keras import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.serving import ModelServer


def test_port_0_gives_free_ports_and_urls_that_open(served_toy):
    with ModelServer(served_toy, "toy", grpc_port=0, rest_port=0) as server:
        assert server.grpc_port != server.rest_port
        for url in (server.grpc_url, server.rest_url):
            assert url.startswith(("grpc://127.0.0.1:", "http://127.0.0.1:"))
            assert open_model(url).categories.names == ("dog", "cat")
    with pytest.raises(requests.ConnectionError):
        requests.get(server.rest_url, timeout=10)
    socket.create_server(("127.0.0.1", server.grpc_port)).close()  # the port is released


def test_a_port_in_use_is_an_error_and_the_other_port_is_released(served_toy):
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        with pytest.raises(InputError, match=f"127.0.0.1:{port}"):
            ModelServer(served_toy, "toy", grpc_port=0, rest_port=port)
        with pytest.raises(InputError, match=f"127.0.0.1:{port}"):
            ModelServer(served_toy, "toy", grpc_port=port, rest_port=free)
        socket.create_server(("127.0.0.1", free)).close()


@pytest.mark.parametrize("name", ["", "a/b", "a:b"])
def test_names_that_do_not_fit_into_urls_are_refused(served_toy, name):
    with pytest.raises(InputError, match="name"):
        ModelServer(served_toy, name, grpc_port=0, rest_port=0)


def test_a_server_that_was_not_started_can_be_stopped(served_toy):
    server = ModelServer(served_toy, "toy", grpc_port=0, rest_port=0)
    server.stop()
    socket.create_server(("127.0.0.1", server.rest_port)).close()


@pytest.mark.large
def test_a_trained_model_keeps_its_ap_as_saved_model_and_over_grpc_and_rest(tmp_path):
    from pix2seq_keras import Pix2Seq, data
    from pix2seq_keras.evaluation import evaluate_source

    model, source = Pix2Seq.from_preset("digits_tiny"), data.open_source("digits", "test")
    model.export(tmp_path / "digits", version=1, verbose=False)
    with ModelServer(tmp_path / "digits", "digits", grpc_port=0, rest_port=0) as server:
        refs = (tmp_path / "digits", server.grpc_url, server.rest_url)
        results = [
            evaluate_source(detector, source, 16, max_images=200, progress=False)[0]
            for detector in (model, *map(open_model, refs))
        ]
    assert results[0]["AP"] > 0.8
    for result in results[1:]:
        assert result["AP"] == pytest.approx(results[0]["AP"], abs=1e-3)
