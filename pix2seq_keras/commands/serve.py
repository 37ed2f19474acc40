"""`pix2seq serve`."""

import signal
import threading
from pathlib import Path

from pix2seq_keras.serving import Limits, ModelServer


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
):
    """Serve a SavedModel over gRPC and REST as TensorFlow Serving does, for trying out; it does not replace it.

    Args:
        model: SavedModel folder: of versions, of which the highest is served, or of one
        name: what clients call the model; by default the folder's name
        host: address to listen at; 127.0.0.1 is for this machine's own programs only
        grpc_port: port of gRPC; 0 for any free one
        rest_port: port of REST; 0 for any free one
        all_versions: whether versions below the highest are served too
        max_batch_rows: images of a request at most
        max_message_mb: megabytes of a request at most
        max_concurrent: requests that are worked on at once; some more may wait, others are refused
    """
    limits = Limits(max_batch_rows=max_batch_rows, max_message_mb=max_message_mb, max_concurrent=max_concurrent)
    name = name or _name_of(Path(model))
    server = ModelServer(model, name, host, grpc_port, rest_port, limits, all_versions)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        print(f"Serving version {', '.join(map(str, server.model.versions))} of {model} at")
        print(f"  {server.grpc_url}\n  {server.rest_url}", flush=True)
        while not stop.wait(1.0):  # a wait without an end would not see signals on every platform
            pass
    print("Stopped.", flush=True)


def _name_of(path):
    """The folder's name; above a version, the name of the model."""
    path = path.resolve()
    return path.parent.name if path.name.isdigit() and (path / "saved_model.pb").is_file() else path.name
