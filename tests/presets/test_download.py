"""Downloads: resumed, checked, and never left incomplete."""

import hashlib
import io
import threading

import numpy as np
import pytest
from rich.console import Console

from pix2seq_keras import InputError
from pix2seq_keras.presets import download as downloading
from pix2seq_keras.presets.download import download, is_url

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


PATH = "/weights/a.weights.h5"


@pytest.fixture
def server(web):
    """A running server with one file, whose address is `server.url`."""
    web.files[PATH] = CONTENT
    web.url = web.address + PATH
    return web


def fetch(url, folder):
    return download(url, folder, Console(file=io.StringIO()))


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def broken_off(server, folder, after=100_000):
    server.breaks_after = after
    with pytest.raises(InputError, match=r"broke off after 100,000 of 300,000 bytes. Run it again"):
        fetch(server.url, folder)
    server.breaks_after = 0


@pytest.mark.parametrize("fragment", ["", f"#sha256={SHA256}", f"#sha256={SHA256.upper()}"])
def test_a_file_is_fetched_once(server, tmp_path, fragment):
    first = fetch(server.url + fragment, tmp_path / "new" / "cache")
    second = fetch(server.url + fragment, tmp_path / "new" / "cache")

    assert first == second and first.read_bytes() == CONTENT
    assert first.name.endswith("-a.weights.h5") and visible(first.parent) == [first.name]
    assert len(server.ranges) == 1


def test_a_broken_download_is_resumed(server, tmp_path):
    broken_off(server, tmp_path)

    path = fetch(server.url, tmp_path)

    assert path.read_bytes() == CONTENT and visible(tmp_path) == [path.name]
    assert server.ranges == [None, "bytes=100000-"]


def test_without_versions_only_a_checked_file_is_resumed(server, tmp_path):
    """The part may be of another version of the file; only the check sum can find that."""
    server.version = None
    for folder, fragment, asked in (("checked", f"#sha256={SHA256}", "bytes=100000-"), ("plain", "", None)):
        broken_off(server, tmp_path / folder)
        assert fetch(server.url + fragment, tmp_path / folder).read_bytes() == CONTENT
        assert server.ranges[-1] == asked


def test_a_server_that_cannot_resume_sends_the_whole_file_again(server, tmp_path):
    server.can_resume = False
    broken_off(server, tmp_path)

    assert fetch(server.url, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("version", ['"2"', None])
def test_two_versions_of_a_file_are_never_mixed(server, tmp_path, version):
    server.version = version and '"1"'
    broken_off(server, tmp_path)
    server.files[PATH], server.version = CONTENT[::-1] + b"longer", version

    assert fetch(server.url, tmp_path).read_bytes() == CONTENT[::-1] + b"longer"


def test_a_part_that_is_the_whole_file_is_recognised(server, tmp_path):
    path = fetch(server.url, tmp_path)
    path.rename(f"{path}.part")

    assert fetch(server.url, tmp_path).read_bytes() == CONTENT
    assert visible(tmp_path) == [path.name]


def test_a_part_longer_than_the_file_is_removed(server, tmp_path):
    path = fetch(server.url, tmp_path)
    path.rename(f"{path}.part")
    server.files[PATH] = CONTENT[:1000]

    assert fetch(server.url, tmp_path).read_bytes() == CONTENT[:1000]


def test_a_file_with_a_wrong_digest_is_removed(server, tmp_path):
    wrong = "0" * 64

    with pytest.raises(InputError, match=f"wrong and was removed: its SHA-256 is {SHA256}, not {wrong}"):
        fetch(f"{server.url}#sha256={wrong}", tmp_path)
    assert visible(tmp_path) == []


def test_a_file_of_an_earlier_download_is_checked_against_the_digest(server, tmp_path):
    path = fetch(server.url, tmp_path)
    path.write_bytes(b"something else")

    assert fetch(f"{server.url}#sha256={SHA256}", tmp_path).read_bytes() == CONTENT


def test_a_file_of_unknown_length_needs_a_digest(server, tmp_path):
    server.sends_size = False

    with pytest.raises(InputError, match=r"cannot be checked: the server does not send its size\. Add #sha256="):
        fetch(server.url, tmp_path)
    assert visible(tmp_path) == []
    assert fetch(f"{server.url}#sha256={SHA256}", tmp_path).read_bytes() == CONTENT


def test_a_missing_file_is_reported_with_the_servers_answer(server, tmp_path):
    with pytest.raises(InputError, match=r"b\.weights\.h5 cannot be fetched: the server answers 404 Not Found"):
        fetch(server.url.replace("a.weights", "b.weights"), tmp_path)
    assert visible(tmp_path) == []


def test_an_unreachable_server_is_reported(server, tmp_path):
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/a\.weights\.h5 cannot be reached: Connection refused"):
        fetch("http://127.0.0.1:1/a.weights.h5", tmp_path)


def test_a_server_that_stops_answering_times_out_and_the_part_is_kept(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "TIMEOUT_SECONDS", 0.2)
    server.breaks_after, server.hangs = 100_000, True

    with pytest.raises(InputError, match=r"broke off: the server has not answered for 0 s. Run it again"):
        fetch(server.url, tmp_path)
    server.breaks_after, server.hangs = 0, False
    assert fetch(server.url, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


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


def test_a_folder_that_cannot_be_written_is_reported(server, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="cannot be written"):
        fetch(server.url, tmp_path / "file" / "cache")


def test_callers_that_need_the_same_file_download_it_once(server, tmp_path):
    threads = [threading.Thread(target=fetch, args=(server.url, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.ranges) == 1


def test_progress_is_a_line_where_there_is_no_terminal(server, tmp_path):
    console = Console(file=io.StringIO())

    download(server.url, tmp_path, console)

    assert console.file.getvalue() == f"downloading {server.url} (0.3 MB)\n"


def test_web_addresses_are_distinguished_from_paths():
    assert is_url("https://host/a") and is_url("HTTP://host/a")
    assert not is_url("a.weights.h5") and not is_url("file:///a") and not is_url("gs://pix2seq/a")


def test_a_file_can_be_given_a_name(server, tmp_path):
    path = download(server.url, tmp_path, Console(file=io.StringIO()), "ckpt-1.index")

    assert path == tmp_path / "ckpt-1.index" and path.read_bytes() == CONTENT
