"""TensorFlow Serving's REST interface over the standard library's HTTP server, with bounds that it lacks."""

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
# As the real server answers them.
_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "DEADLINE_EXCEEDED": 504,
}
_DRAIN_S, _DRAIN_BYTES = 2.0, 2**28


class RestServer(ThreadingHTTPServer):
    """A REST server.

    Args:
        address: (host, port); port 0 means any free one.
        model: `ServedModel`.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address, model):
        self.model = model
        self._free = threading.Semaphore(model.limits.max_connections)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def process_request(self, request, client_address):
        """Takes a connection, unless there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        """Serves a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request, client_address):
        """A client that went away or was too slow is no error of the server's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "pix2seq", ""

    def setup(self):
        super().setup()
        self._clock = _Clock(self.connection)
        self.rfile = io.BufferedReader(self._clock)

    def handle_one_request(self):
        self._clock.start(self.server.model.limits.receive_s)
        super().handle_one_request()

    def do_GET(self):
        self._answer("GET")

    def do_POST(self):
        self._answer("POST")

    def log_message(self, format, *arguments):
        """Silent: what is served is the operator's to log, in front of this."""

    def send_error(self, code, message=None, explain=None):
        """Errors of the HTTP parser, as JSON like all others."""
        self.close_connection = True
        self.request_version = self.protocol_version  # of a line that is none, HTTP 0.9 is assumed, which has no status
        self._send(code, {"error": message or "Malformed request"})

    def _answer(self, method):
        try:
            body = self._body(method)
        except _ReceptionError as error:
            self.close_connection = True  # what comes next on it is no new request
            self._send(error.status, {"error": str(error)})
            self._drain()
            return
        try:
            self._send(200, self._result(method, body))
        except RequestError as error:
            self._send(_STATUS.get(error.code, 500), {"error": error.message})
        except OSError:  # the client went away
            raise
        except Exception as error:  # a mistake of ours must not be a connection that just ends
            self._send(500, {"error": f"The server failed: {type(error).__name__}."})

    def _result(self, method, body):
        path = self.path.split("?")[0]
        parts = _PATH.fullmatch(path)
        if not parts or (method == "POST") != (parts["verb"] == ":predict"):
            raise RequestError("NOT_FOUND" if not parts else "INVALID_ARGUMENT", f"Malformed request: {method} {path}")
        model, number = self.server.model, parts["version"] and int(parts["version"])
        if parts["verb"] == ":predict":
            return self._predicted(model, model.version(parts["name"], number), body)
        if parts["verb"] == "/metadata":
            return _metadata(model, model.version(parts["name"], number))
        status = status_of(model, parts["name"], number)
        return json_format.MessageToDict(
            status, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def _predicted(self, model, version, body):
        with model.parsing:  # one after the other: JSON in memory is many times as large as on the wire
            request = parse_request(body)
            signature = request.get("signature_name") or "serving_default"
            inputs = read_inputs(request, model.signature(version, signature), model.limits.max_batch_rows)
            by_rows = "instances" in request
            del request
        return write_outputs(model.run(version, signature, inputs), by_rows)

    def _body(self, method):
        length = self.headers.get("Content-Length", "0" if method == "GET" else None)
        if length is None or "Transfer-Encoding" in self.headers:
            raise _ReceptionError(411, "A request needs a Content-Length.")
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            raise _ReceptionError(400, f"The Content-Length is no number: {length[:40]!r}")
        most = self.server.model.limits.max_message_bytes
        if int(length) > most:
            raise _ReceptionError(413, f"The request has {int(length)} bytes, more than the {most} accepted.")
        try:
            body = self.rfile.read(int(length))
        except TimeoutError as error:
            raise _ReceptionError(408, "The request did not arrive in time.") from error
        if len(body) < int(length):
            raise _ReceptionError(400, "The request ended before its Content-Length.")
        return body

    def _send(self, status, answer):
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.connection.settimeout(self.server.model.limits.receive_s)  # for all of `sendall`
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _drain(self):
        """Takes what is still coming: closing a connection that is being written to would lose the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        self._clock.start(_DRAIN_S)
        left = _DRAIN_BYTES
        while left > 0 and (part := self._clock.read(2**16)):
            left -= len(part)


class _ReceptionError(Exception):
    """A request that was not even received."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _Clock(io.RawIOBase):
    """A connection's bytes until its time is over, however slowly they trickle; a socket's own timeout starts anew at
    every byte.
    """

    def __init__(self, connection):
        self._connection = connection
        self._end = 0.0

    def start(self, seconds):
        self._end = time.monotonic() + seconds

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def _metadata(model, version):
    signatures = json_format.MessageToDict(
        model.versions[version].definitions,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    spec = {"name": model.name, "signature_name": "", "version": str(version)}
    return {"model_spec": spec, "metadata": {"signature_def": signatures}}
