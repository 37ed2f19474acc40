"""TensorFlow Serving's REST interface on the standard library's HTTP server, with limits."""

import io
import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format

from pix2seq_keras.serving.grpc_service import status_of
from pix2seq_keras.serving.rest_json import parse_request, read_inputs, write_outputs
from pix2seq_keras.serving.served_model import RequestError

_PATH = re.compile(r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d{1,18}))?(?P<verb>:predict|/metadata)?")
# The HTTP statuses that TensorFlow Serving uses for these codes; all others are 500.
_HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "DEADLINE_EXCEEDED": 504,
}
_DRAIN_S, _DRAIN_BYTES = 2.0, 2**28  # limits of what is read from a refused request


class RestServer(ThreadingHTTPServer):
    """A REST server of one model.

    Args:
        address: tuple (host, port). Port 0 chooses a free one.
        model: `ServedModel`.

    Raises:
        OSError: if the port is in use.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address, model):
        self.model = model
        self._free_connections = threading.Semaphore(model.limits.max_connections)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def process_request(self, request, client_address):
        """Accepts a connection, or closes it if there are too many."""
        if not self._free_connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        """Serves a connection until it closes."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free_connections.release()

    def handle_error(self, request, client_address):
        """Ignores clients that disconnect or are too slow."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "pix2seq", ""

    def setup(self):
        super().setup()
        self._reader = _DeadlineReader(self.connection)
        self.rfile = io.BufferedReader(self._reader)

    def handle_one_request(self):
        self._reader.start(self.server.model.limits.receive_s)
        super().handle_one_request()

    def do_GET(self):
        self._respond("GET")

    def do_POST(self):
        self._respond("POST")

    def log_message(self, format, *arguments):
        """Logs nothing."""

    def send_error(self, code, message=None, explain=None):
        """Sends errors of the HTTP parser as JSON, like all other errors."""
        self.close_connection = True
        # After a malformed request line the parser assumes HTTP 0.9, whose responses have no status.
        self.request_version = self.protocol_version
        self._send(code, {"error": message or "Malformed request"})

    def _respond(self, method):
        try:
            body = self._read_body(method)
        except _ReceiveError as error:
            self.close_connection = True  # the rest of this request must not be parsed as the next one
            self._send(error.status, {"error": str(error)})
            self._drain()
            return
        try:
            self._send(200, self._result(method, body))
        except RequestError as error:
            self._send(_HTTP_STATUS.get(error.code, 500), {"error": error.message})
        except OSError:  # the client disconnected
            raise
        except Exception as error:  # a bug must give a response too, not just a closed connection
            self._send(500, {"error": f"The server failed: {type(error).__name__}."})

    def _result(self, method, body):
        path = self.path.split("?")[0]
        parts = _PATH.fullmatch(path)
        if not parts or (method == "POST") != (parts["verb"] == ":predict"):
            raise RequestError("NOT_FOUND" if not parts else "INVALID_ARGUMENT", f"Malformed request: {method} {path}")
        model, number = self.server.model, parts["version"] and int(parts["version"])
        if parts["verb"] == ":predict":
            return self._predict(model, model.version(parts["name"], number), body)
        if parts["verb"] == "/metadata":
            return _metadata_json(model, model.version(parts["name"], number))
        status = status_of(model, parts["name"], number)
        return json_format.MessageToDict(
            status, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def _predict(self, model, version, body):
        with model.parsing:  # one request at a time: parsed JSON takes many times its size in memory
            request = parse_request(body)
            signature = request.get("signature_name") or "serving_default"
            inputs = read_inputs(request, model.signature(version, signature), model.limits.max_batch_rows)
            by_rows = "instances" in request
            del request
        return write_outputs(model.run(version, signature, inputs), by_rows)

    def _read_body(self, method):
        length = self.headers.get("Content-Length", "0" if method == "GET" else None)
        if length is None or "Transfer-Encoding" in self.headers:
            raise _ReceiveError(411, "A request must have a Content-Length.")
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            raise _ReceiveError(400, f"Content-Length must be a number. Received: {length[:40]!r}")
        limit = self.server.model.limits.max_message_bytes
        if int(length) > limit:
            raise _ReceiveError(413, f"A request must have at most {limit} bytes. Received: {int(length)}.")
        try:
            body = self.rfile.read(int(length))
        except TimeoutError as error:
            raise _ReceiveError(408, "The request was not received in time.") from error
        if len(body) < int(length):
            raise _ReceiveError(400, "The request is shorter than its Content-Length.")
        return body

    def _send(self, status, response):
        content = response if isinstance(response, bytes) else json.dumps(response).encode()
        self.connection.settimeout(self.server.model.limits.receive_s)  # for `sendall` as a whole
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _drain(self):
        """Reads what the client still sends: if the connection closed now, the client would not get the response."""
        self.connection.shutdown(socket.SHUT_WR)
        self._reader.start(_DRAIN_S)
        bytes_left = _DRAIN_BYTES
        while bytes_left > 0 and (part := self._reader.read(2**16)):
            bytes_left -= len(part)


class _ReceiveError(Exception):
    """A request that could not be received: it has an HTTP status, not a gRPC code."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _DeadlineReader(io.RawIOBase):
    """Reads from a connection until a deadline. A socket's own timeout would start again with every byte."""

    def __init__(self, connection):
        self._connection = connection
        self._deadline = 0.0

    def start(self, seconds):
        self._deadline = time.monotonic() + seconds

    def readable(self):
        return True

    def readinto(self, buffer):
        seconds_left = self._deadline - time.monotonic()
        if seconds_left <= 0:
            raise TimeoutError
        self._connection.settimeout(seconds_left)
        return self._connection.recv_into(buffer)


def _metadata_json(model, version):
    signatures = json_format.MessageToDict(
        model.versions[version].definitions,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    spec = {"name": model.name, "signature_name": "", "version": str(version)}
    return {"model_spec": spec, "metadata": {"signature_def": signatures}}
