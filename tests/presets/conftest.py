"""A web server on this machine that can be made to fail."""

import http.server
import threading
from dataclasses import dataclass, field

import pytest


@dataclass
class Web:
    """What the server sends, how it fails, and what was requested of it."""

    address: str
    files: dict = field(default_factory=dict)  # path -> bytes
    requests: list = field(default_factory=list)  # of (path, the header Range or None)
    can_resume: bool = True
    sends_size: bool = True
    version: str | None = '"1"'
    breaks_after: int = 0  # bytes of an answer; 0 means never
    hangs: bool = False
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def ranges(self):
        return [asked for _, asked in self.requests]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        web = self.server.web
        asked = self.headers.get("Range")
        web.requests.append((self.path, asked))
        if self.path not in web.files:
            return self.send_error(404)
        content, start = web.files[self.path], 0
        changed = self.headers.get("If-Range") not in (None, web.version)
        if asked and web.can_resume and not changed:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if web.sends_size:
            self.send_header("Content-Length", str(len(content) - start))
        if web.version:
            self.send_header("ETag", web.version)
        self.end_headers()
        self.wfile.write(content[start : start + web.breaks_after] if web.breaks_after else content[start:])
        if web.hangs:
            web.released.wait(10)

    def log_message(self, *args):
        pass


@pytest.fixture
def web(monkeypatch):
    """A running server, as a `Web`."""
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.web = Web(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.web
    server.web.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
