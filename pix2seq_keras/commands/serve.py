"""`pix2seq serve`."""

import signal
import threading
from pathlib import Path

from pix2seq_keras.terminal import say


def serve(
    model: str,
    name: str | None = None,
    host: str = "127.0.0.1",
    grpc_port: int = 8500,
    rest_port: int = 8501,
    all_versions: bool = False,
    max_batch_rows: int = 64,
    max_message_mb: float = 64.0,
    max_concurrent: int = 2,
) -> None:
    """Serve a SavedModel with the interfaces of TensorFlow Serving, for trials. In production use TensorFlow Serving.

    Args:
        model: folder of one SavedModel, or of its versions, of which the highest is served
        name: the model's name in requests; by default the folder's name
        host: address to listen on; 127.0.0.1 accepts connections from this machine only
        grpc_port: port for gRPC; 0 for any free port
        rest_port: port for REST; 0 for any free port
        all_versions: whether versions below the highest are served too
        max_batch_rows: maximum number of images in a request
        max_message_mb: maximum size of a request in megabytes
        max_concurrent: number of requests processed at once; a few more wait, the others are refused
    """
    from pix2seq_keras.serving import Limits, ModelServer

    limits = Limits(max_batch_rows=max_batch_rows, max_message_mb=max_message_mb, max_concurrent=max_concurrent)
    name = name or _name_of(Path(model))
    server = ModelServer(model, name, host, grpc_port, rest_port, limits, all_versions)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        say(f"Serving version {', '.join(map(str, server.model.versions))} of {model} at")
        say(f"  {server.grpc_url}\n  {server.rest_url}")
        while not stop.wait(1.0):  # without a timeout, some platforms do not deliver signals
            pass
    say("Stopped.")


def _name_of(path):
    """The folder's name; above a version, the name of the model."""
    path = path.resolve()
    return path.parent.name if path.name.isdigit() and (path / "saved_model.pb").is_file() else path.name
