"""Downloads from a server on this machine that can be made to fail."""

import hashlib
import http.server
import io
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from pix2seq_keras import InputError
from pix2seq_keras.models import download as downloading
from pix2seq_keras.presets.download import download, is_url

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends `state.content` as `state` says, and notes what was asked for."""

    def do_GET(self):
        state = self.server.state
        state.ranges.append(self.headers.get("Range"))
        if self.path != "/weights/a.weights.h5":
            return self.send_error(404)
        content, start = state.content, 0
        asked = self.headers.get("Range")
        changed = self.headers.get("If-Range") not in (None, state.version)
        if asked and state.can_resume and not changed:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if state.tells_length:
            self.send_header("Content-Length", str(len(content) - start))
        if state.version:
            self.send_header("ETag", state.version)
        self.end_headers()
        self.wfile.write(content[start : start + state.breaks_after] if state.breaks_after else content[start:])
        if state.hangs:
            state.released.wait(10)

    def log_message(self, *args):
        pass


@pytest.fixture
def state(monkeypatch):
    """A running server: its behaviour, and its address as `state.url`."""
    monkeypatch.setenv("no_proxy", "*")
    state = SimpleNamespace(
        content=CONTENT, can_resume=True, tells_length=True, breaks_after=0, hangs=False, version='"1"', ranges=[],
        released=threading.Event(),
    )  # fmt: skip
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.state = state
    state.url = f"http://127.0.0.1:{server.server_port}/weights/a.weights.h5"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url, folder):
    return download(url, folder, Console(file=io.StringIO()))


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def broken_off(state, folder, after=100_000):
    state.breaks_after = after
    with pytest.raises(InputError, match=r"broke off after 100,000 of 300,000 bytes. Run it again"):
        fetch(state.url, folder)
    state.breaks_after = 0


@pytest.mark.parametrize("fragment", ["", f"#sha256={SHA256}", f"#sha256={SHA256.upper()}"])
def test_a_file_is_fetched_once(state, tmp_path, fragment):
    first = fetch(state.url + fragment, tmp_path / "new" / "cache")
    second = fetch(state.url + fragment, tmp_path / "new" / "cache")

    assert first == second and first.read_bytes() == CONTENT
    assert first.name.endswith("-a.weights.h5") and visible(first.parent) == [first.name]
    assert len(state.ranges) == 1


def test_a_broken_download_goes_on_where_it_broke_off(state, tmp_path):
    broken_off(state, tmp_path)

    path = fetch(state.url, tmp_path)

    assert path.read_bytes() == CONTENT and visible(tmp_path) == [path.name]
    assert state.ranges == [None, "bytes=100000-"]


def test_without_versions_only_a_checked_file_is_resumed(state, tmp_path):
    """The piece that is there may be of another file; only the check sum would tell."""
    state.version = None
    for folder, fragment, asked in (("checked", f"#sha256={SHA256}", "bytes=100000-"), ("plain", "", None)):
        broken_off(state, tmp_path / folder)
        assert fetch(state.url + fragment, tmp_path / folder).read_bytes() == CONTENT
        assert state.ranges[-1] == asked


def test_a_server_that_cannot_resume_sends_the_whole_file_again(state, tmp_path):
    state.can_resume = False
    broken_off(state, tmp_path)

    assert fetch(state.url, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("version", ['"2"', None])
def test_two_versions_of_a_file_are_never_mixed(state, tmp_path, version):
    state.version = version and '"1"'
    broken_off(state, tmp_path)
    state.content, state.version = CONTENT[::-1] + b"longer", version

    assert fetch(state.url, tmp_path).read_bytes() == CONTENT[::-1] + b"longer"


def test_a_part_that_is_the_whole_file_is_recognised(state, tmp_path):
    path = fetch(state.url, tmp_path)
    path.rename(f"{path}.part")

    assert fetch(state.url, tmp_path).read_bytes() == CONTENT
    assert visible(tmp_path) == [path.name]


def test_a_part_longer_than_the_file_is_thrown_away(state, tmp_path):
    path = fetch(state.url, tmp_path)
    path.rename(f"{path}.part")
    state.content = CONTENT[:1000]

    assert fetch(state.url, tmp_path).read_bytes() == CONTENT[:1000]


def test_another_file_than_promised_is_removed(state, tmp_path):
    wrong = "0" * 64

    with pytest.raises(InputError, match=f"removed: its SHA-256 is {SHA256}, not {wrong}"):
        fetch(f"{state.url}#sha256={wrong}", tmp_path)
    assert visible(tmp_path) == []


def test_a_kept_file_is_checked_against_the_digest_asked_for(state, tmp_path):
    path = fetch(state.url, tmp_path)
    path.write_bytes(b"something else")

    assert fetch(f"{state.url}#sha256={SHA256}", tmp_path).read_bytes() == CONTENT


def test_a_file_of_unknown_length_needs_a_digest(state, tmp_path):
    state.tells_length = False

    with pytest.raises(InputError, match=r"does not say how large .* Add #sha256="):
        fetch(state.url, tmp_path)
    assert visible(tmp_path) == []
    assert fetch(f"{state.url}#sha256={SHA256}", tmp_path).read_bytes() == CONTENT


def test_what_is_not_there_is_told_with_the_servers_answer(state, tmp_path):
    with pytest.raises(InputError, match=r"b\.weights\.h5 cannot be fetched: the server answers 404 Not Found"):
        fetch(state.url.replace("a.weights", "b.weights"), tmp_path)
    assert visible(tmp_path) == []


def test_a_server_that_is_not_there_is_told(state, tmp_path):
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/a\.weights\.h5 cannot be reached: Connection refused"):
        fetch("http://127.0.0.1:1/a.weights.h5", tmp_path)


def test_a_server_that_stops_answering_is_given_up_and_the_part_kept(state, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "SECONDS_WITHOUT_AN_ANSWER", 0.2)
    state.breaks_after, state.hangs = 100_000, True

    with pytest.raises(InputError, match=r"broke off: the server has not answered for 0 s. Run it again"):
        fetch(state.url, tmp_path)
    state.breaks_after, state.hangs = 0, False
    assert fetch(state.url, tmp_path).read_bytes() == CONTENT
    assert state.ranges == [None, "bytes=100000-"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://host/", "must have a host and end in a file's name"),
        ("http:///a.weights.h5", "must have a host and end in a file's name"),
        ("http://[host/a.weights.h5", "must have a host and end in a file's name"),
        ("http://host:port/a.weights.h5", "is not an address"),
        ("http://host/a%2Fb", "must have a host and end in a file's name"),
        ("http://host/a.weights.h5#sha256=12", "must be sha256= and 64 hexadecimal digits"),
        ("http://a..b/a.weights.h5", "cannot be reached|is not an address"),
        ("http://127.0.0.1:9/modèle.weights.h5", "mod%C3%A8le.weights.h5 cannot be reached"),
        ("http://host/a.weights.h5#part", "must be sha256= and 64 hexadecimal digits"),
    ],
)
def test_a_malformed_address_is_refused(tmp_path, url, message):
    with pytest.raises(InputError, match=message):
        fetch(url, tmp_path)


def test_a_folder_that_cannot_be_written_is_told(state, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="cannot be written"):
        fetch(state.url, tmp_path / "file" / "cache")


def test_processes_that_want_one_file_fetch_it_once(state, tmp_path):
    threads = [threading.Thread(target=fetch, args=(state.url, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(state.ranges) == 1


def test_progress_is_a_line_where_there_is_no_terminal(state, tmp_path):
    console = Console(file=io.StringIO())

    download(state.url, tmp_path, console)

    assert console.file.getvalue() == f"downloading {state.url} (0.3 MB)\n"


def test_web_addresses_are_told_from_paths():
    assert is_url("https://host/a") and is_url("HTTP://host/a")
    assert not is_url("a.weights.h5") and not is_url("file:///a") and not is_url("gs://pix2seq/a")
