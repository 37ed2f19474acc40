"""A server of the toy, and images whose detections are known."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def toy_server(served_toy):
    """A running server of the toy's newest version."""
    from pix2seq_keras.serving import ModelServer

    with ModelServer(served_toy, "toy", grpc_port=0, rest_port=0) as server:
        yield server


@pytest.fixture(scope="session")
def toy_refs(served_toy, toy_server):
    """The three ways to the toy: its folder, gRPC and REST."""
    return {"folder": str(served_toy), "grpc": toy_server.grpc_url, "rest": toy_server.rest_url}


@pytest.fixture(params=["folder", "grpc", "rest"])
def toy_detector(request, toy_refs):
    """The toy, opened in each of the three ways."""
    from pix2seq_keras.inference import RetryPolicy, open_model

    return open_model(toy_refs[request.param], RetryPolicy(deadline_s=20, connect_timeout_s=2))


@pytest.fixture(scope="session")
def encoded():
    """A function (pixels, format, **options of Pillow) -> bytes of a file."""

    def encode(pixels, format="PNG", **options):
        file = io.BytesIO()
        Image.fromarray(np.asarray(pixels)).save(file, format, **options)
        return file.getvalue()

    return encode
