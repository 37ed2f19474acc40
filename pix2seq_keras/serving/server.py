"""Both interfaces of one model, up and down together."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from pix2seq_keras.errors import InputError
from pix2seq_keras.serving.grpc_service import add_services
from pix2seq_keras.serving.limits import Limits
from pix2seq_keras.serving.rest_service import RestServer
from pix2seq_keras.serving.served_model import ServedModel


class ModelServer:
    """A model served over gRPC and REST with the interfaces of TensorFlow Serving.

    It is for tests, notebooks and trying out, no replacement: it runs Python, does not batch the requests of several
    clients, does not watch for new versions, and has neither encryption nor passwords.

    Args:
        path: SavedModel: the folder of its versions, of which the highest is served, or the folder of one.
        name: str, what clients call it.
        host: str, the address to listen at; the default is for this machine's own programs only.
        grpc_port: int; 0 means any free one.
        rest_port: int; 0 means any free one.
        limits: `Limits`, or `None` for the default.
        all_versions: bool, whether versions below the highest are served too.

    Raises:
        InputError: if the model cannot be loaded, or a port is taken.

    Example:
        >>> with ModelServer("served/digits", name="digits", grpc_port=0, rest_port=0) as server:
        ...     open_model(server.rest_url).detect("image.png")
    """

    def __init__(
        self,
        path,
        name="model",
        host="127.0.0.1",
        grpc_port=8500,
        rest_port=8501,
        limits=None,
        all_versions=False,
    ):
        if not name or not all(character.isalnum() or character in "_-." for character in name):
            raise InputError(f"A model's name has letters, digits and _ - . only. Received: {name!r}")
        limits = limits or Limits()
        self._answering = None
        self.model = ServedModel(name, path, limits, all_versions)
        try:
            self._rest = RestServer((host, rest_port), self.model)
        except (OSError, OverflowError) as error:
            raise _taken(host, rest_port, error) from error
        try:
            self._grpc, self.grpc_port = _grpc_server(host, grpc_port, self.model, limits)
        except (RuntimeError, OverflowError) as error:
            self._rest.server_close()
            raise _taken(host, grpc_port, error) from error
        self.rest_port = self._rest.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        self.grpc_url = f"grpc://{shown}:{self.grpc_port}/{name}"
        self.rest_url = f"http://{shown}:{self.rest_port}/v1/models/{name}"

    def start(self):
        """Begins to answer. Returns itself."""
        self._grpc.start()
        self._answering = threading.Thread(target=self._rest.serve_forever, args=(0.1,), daemon=True)
        self._answering.start()
        return self

    def stop(self, grace_s=5.0):
        """Takes no more requests, and gives those under way a little time.

        Args:
            grace_s: float, seconds.
        """
        stopped = self._grpc.stop(grace_s)
        if self._answering is not None:  # else there is no loop that would notice
            self._rest.shutdown()
        self._rest.server_close()
        stopped.wait(grace_s + 1)

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.stop()


def _grpc_server(host, port, model, limits):
    size = limits.max_message_bytes
    # One thread for each who is served or waits; who comes beyond that is told so at once.
    workers = limits.max_concurrent + limits.max_waiting
    server = grpc.server(
        ThreadPoolExecutor(workers, thread_name_prefix="grpc"),
        maximum_concurrent_rpcs=workers,
        options=[
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # else a second server would share the port in silence
        ],
    )
    add_services(server, model)
    return server, server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _taken(host, port, error):
    return InputError(
        f"Nothing can listen at {host}:{port}: is the port taken? Give another one, or 0 for any. ({error})"
    )
