"""The model server: starts and stops the gRPC and REST interfaces of one model."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from pix2seq_keras.errors import InputError
from pix2seq_keras.serving.grpc_service import add_services
from pix2seq_keras.serving.limits import Limits
from pix2seq_keras.serving.rest_service import RestServer
from pix2seq_keras.serving.served_model import ServedModel


class ModelServer:
    """Serves a model over gRPC and REST with the interfaces of TensorFlow Serving.

    It is for tests, notebooks and development and does not replace TensorFlow Serving: it runs Python, does not batch
    the requests of several clients, does not load new versions while it runs, and has no encryption or authentication.

    Args:
        path: folder of a SavedModel's versions, of which the highest is served, or the folder of one version.
        name: str, the model's name in URLs and requests, default `"model"`.
        host: str, the address to listen on, default `"127.0.0.1"`, which only accepts connections from this machine.
        grpc_port: int, 0 for any free port, default 8500.
        rest_port: int, 0 for any free port, default 8501.
        limits: `Limits`, or `None` for the default.
        all_versions: bool, whether all versions are served or only the highest one, default `False`.

    Raises:
        InputError: if the model cannot be loaded, or a port is in use.

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
            raise InputError(
                f"`name` must consist of letters, digits, and the characters _ - . only. Received: name={name!r}."
            )
        limits = limits or Limits()
        self._rest_thread = None
        self.model = ServedModel(name, path, limits, all_versions)
        try:
            self._rest = RestServer((host, rest_port), self.model)
        except (OSError, OverflowError) as error:
            raise _port_error(host, rest_port, error) from error
        try:
            self._grpc, self.grpc_port = _grpc_server(host, grpc_port, self.model, limits)
        except (RuntimeError, OverflowError) as error:
            self._rest.server_close()
            raise _port_error(host, grpc_port, error) from error
        self.rest_port = self._rest.server_address[1]
        url_host = f"[{host}]" if ":" in host else host
        self.grpc_url = f"grpc://{url_host}:{self.grpc_port}/{name}"
        self.rest_url = f"http://{url_host}:{self.rest_port}/v1/models/{name}"

    def start(self):
        """Starts to serve requests.

        Returns:
            The server itself.
        """
        self._grpc.start()
        self._rest_thread = threading.Thread(target=self._rest.serve_forever, args=(0.1,), daemon=True)
        self._rest_thread.start()
        return self

    def stop(self, grace_s=5.0):
        """Stops accepting requests, and waits for those that are running.

        Args:
            grace_s: float, seconds to wait at most, default 5.
        """
        stopped = self._grpc.stop(grace_s)
        if self._rest_thread is not None:  # `shutdown` would wait for ever if `serve_forever` does not run
            self._rest.shutdown()
        self._rest.server_close()
        stopped.wait(grace_s + 1)

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.stop()


def _grpc_server(host, port, model, limits):
    size = limits.max_message_bytes
    # One thread per request that runs or waits. Further requests are refused immediately.
    workers = limits.max_concurrent + limits.max_waiting
    server = grpc.server(
        ThreadPoolExecutor(workers, thread_name_prefix="grpc"),
        maximum_concurrent_rpcs=workers,
        options=[
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # without it, a second server would silently share the port
        ],
    )
    add_services(server, model)
    return server, server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _port_error(host, port, error):
    return InputError(
        f"`--host` must be an address of this machine, and its ports must be free. Received: {host}:{port} ({error}). "
        "Choose another port, or 0 for any free one."
    )
