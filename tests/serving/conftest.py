"""A running server of the toy model, and an image to send."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def server(served_toy):
    """A running server of all versions of the toy model, with small limits."""
    from pix2seq_keras.serving import Limits, ModelServer

    limits = Limits(max_batch_rows=4, max_message_mb=0.5, receive_s=1.0, max_connections=4)
    with ModelServer(served_toy, "toy", grpc_port=0, rest_port=0, limits=limits, all_versions=True) as running:
        yield running


@pytest.fixture(scope="session")
def red_png():
    """A PNG with a red value of 200 out of 255."""
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), (200, 0, 0), np.uint8)).save(file, "PNG")
    return file.getvalue()
