"""A file from the web: resumed where it broke off, checked, and there whole or not at all."""

import contextlib
import hashlib
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException, InvalidURL
from pathlib import Path
from ssl import SSLError

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pix2seq_keras.atomic_files import unwritable
from pix2seq_keras.errors import InputError

SECONDS_WITHOUT_AN_ANSWER = 30.0  # of the server, until the download is given up
BLOCK = 1 << 20  # bytes read at once


def is_url(text):
    """Whether `text` is a web address (http or https)."""
    return str(text).lower().startswith(("http://", "https://"))


def file_name(url):
    """The name of the file at a web address, or an empty text where there is none."""
    try:
        parts = urllib.parse.urlsplit(str(url))
    except ValueError:  # such as a half-open bracket
        return ""
    name = urllib.parse.unquote(parts.path.rpartition("/")[2])
    return name if parts.netloc and not set(name) & {"/", "\0"} else ""


def download(url, folder, console=None):
    """The file at a web address, from an earlier download or fetched now.

    What was fetched before a break is kept as `NAME.part`, and the next call goes on there if the server can. The file
    counts as whole when its SHA-256 is that of the address (`…/file.weights.h5#sha256=HEX`), or, without one, when it
    is as long as the server said.

    Args:
        url: str, http or https; a file's name at its end, perhaps `#sha256=` and 64 hexadecimal digits.
        folder: path, made if need be; the file is kept there under its name, with the address's digest before it.
        console: `rich.console.Console` for the progress; `None` is standard error.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: if the address is malformed, nothing is there, the server cannot be reached or stops answering, or
            the file is not what it should be; nothing wrong is left behind.

    Example:
        >>> download("https://example.org/cells.weights.h5#sha256=9f86…", "~/weights")
    """
    address, wanted = _parse(url)
    # The digest keeps apart files of one name from two addresses.
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    path = Path(folder).expanduser() / f"{digest}-{file_name(address)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            if not path.is_file() or (wanted and _sha256(path) != wanted):
                _fetch(address, path, wanted, console or Console(stderr=True))
    except OSError as error:
        raise InputError(unwritable(path, error)) from error
    return path


def _parse(url):
    """The address without its fragment, and the SHA-256 the fragment gives, or `None`."""
    address, fragment = urllib.parse.urldefrag(str(url))
    address = urllib.parse.quote(address, safe="/:?&=%@+,;~!$'()*[]#")  # a name with an umlaut is an address too
    if not file_name(address):
        raise InputError(f"The address must have a host and end in a file's name. Received: {url}")
    if not fragment:
        return address, None
    match = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", fragment)
    if match is None:
        raise InputError(f"What follows # in an address must be sha256= and 64 hexadecimal digits. Received: {url}")
    return address, match[1].lower()


@contextlib.contextmanager
def _alone(path):
    """Waits until no other process fetches the same file, as the workers of one training do; ends with its process."""
    try:
        import fcntl
    except ImportError:  # Windows: two workers may fetch the same file twice
        yield
        return
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o664)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fetch(address, path, wanted, console):
    part = path.with_name(f"{path.name}.part")
    notes = path.with_name(f"{path.name}.part.json")
    total = _receive(address, part, notes, console, wanted)
    if total is None and wanted is None:
        _remove(part, notes)
        raise InputError(
            f"The server does not say how large {address} is, so it cannot be checked. Add #sha256= and the file's "
            "SHA-256 to the address."
        )
    size = part.stat().st_size
    if total is not None and size < total:
        raise InputError(
            f"The download of {address} broke off after {size:,} of {total:,} bytes. Run it again: it goes on there."
        )
    received = _sha256(part) if wanted else None
    if received != wanted or (total is not None and size > total):
        _remove(part, notes)
        raise InputError(
            f"{address} is not the file it should be, so it was removed: "
            + (f"its SHA-256 is {received}, not {wanted}." if wanted else f"it has {size:,} bytes, not {total:,}.")
        )
    os.replace(part, path)
    _remove(notes)


def _receive(address, part, notes, console, wanted):
    """Appends to `part` what it lacks; returns the size of the whole file in bytes, or `None` if it is not known."""
    known = _read_notes(notes) if part.is_file() else {}
    # Without the server's word that it is the same file, or a check sum at the end, a piece may be of another one.
    trusted = known.get("version") or (wanted and part.is_file())
    have = part.stat().st_size if trusted else 0
    headers = {"User-Agent": "pix2seq_keras"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if known.get("version"):  # the server sends the whole file again if it has changed since
            headers["If-Range"] = known["version"]
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=SECONDS_WITHOUT_AN_ANSWER
        ) as answer:
            start, total = _extent(answer)
            same_file = start == 0 or known.get("total") in (None, total)
            if start not in (0, have) or not same_file:
                return _start_over(address, part, notes, console, have, wanted)
            _write_notes(notes, {"total": total, "version": _version(answer)})
            _append(answer, part, start, total, address, console)
            return total
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing follows: the part is the whole file, or another one
            if (total := _total_of(error.headers.get("Content-Range"))) == have:
                return total
            return _start_over(address, part, notes, console, have, wanted)
        raise InputError(f"{address} cannot be fetched: the server answers {error.code} {error.reason}.") from error
    except urllib.error.URLError as error:
        raise InputError(f"{address} cannot be reached: {_reason(error.reason)}. Is the address right?") from error
    except (InvalidURL, UnicodeError) as error:
        raise InputError(f"{address} is not an address: {error}.") from error
    except (TimeoutError, ConnectionError, SSLError, HTTPException) as error:
        raise InputError(f"The download of {address} broke off: {_reason(error)}. Run it again.") from error


def _start_over(address, part, notes, console, have, wanted):
    if not have:  # nothing was asked for but the whole file
        raise InputError(f"{address} cannot be fetched: the server answers with a piece of the file that does not fit.")
    _remove(part, notes)
    return _receive(address, part, notes, console, wanted)


def _append(answer, part, start, total, address, console):
    with _progress(address, start, total, console) as advance, part.open("ab" if start else "wb") as file:
        have = start
        # read1 hands out what has come: of a connection that breaks, nothing is lost.
        while (total is None or have < total) and (block := _read_block(answer)):
            file.write(block)
            have += len(block)
            advance(len(block))
        file.flush()
        os.fsync(file.fileno())  # else a machine that loses power may keep the name of an empty file


def _read_block(answer):
    try:
        return answer.read1(BLOCK)
    except (TimeoutError, ConnectionError, SSLError):
        raise
    except OSError as error:  # of the network, not of the file that is written
        raise ConnectionError(error.errno, error.strerror) from error


def _extent(answer):
    """Where in the file an answer begins, and the size of the whole in bytes or `None`."""
    if answer.status == 206:
        content_range = answer.headers.get("Content-Range") or ""
        match = re.match(r"bytes (\d+)-", content_range)
        return (int(match[1]) if match else -1), _total_of(content_range)
    length = answer.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


def _total_of(content_range):
    match = re.search(r"/(\d+)$", content_range or "")
    return int(match[1]) if match else None


def _version(answer):
    tag = answer.headers.get("ETag") or ""
    # A weak tag does not promise the same bytes.
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")


def _read_notes(notes):
    try:
        known = json.loads(notes.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_notes(notes, known):
    notes.write_text(json.dumps(known))


def _remove(*paths):
    for path in paths:
        path.unlink(missing_ok=True)


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error):
    if isinstance(error, TimeoutError):
        return f"the server has not answered for {SECONDS_WITHOUT_AN_ANSWER:.0f} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@contextlib.contextmanager
def _progress(address, start, total, console):
    """Shows a bar on a terminal, a line elsewhere; yields `advance(count)` of bytes."""
    if not (console.is_terminal or console.is_jupyter):
        size = "" if total is None else f" ({total / 1e6:.1f} MB)"
        console.file.write(f"downloading {address}{size}{f', from byte {start:,}' if start else ''}\n")
        console.file.flush()
        yield lambda count: None
        return
    columns = (TextColumn("downloading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, completed=start)
        yield lambda count: bar.advance(task, count)
