"""A file from the web: resumed after a break, checked, and never left incomplete under its name."""

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

from pix2seq_keras.atomic_files import write_error_message
from pix2seq_keras.errors import InputError
from pix2seq_keras.file_lock import file_lock

TIMEOUT_SECONDS = 30.0  # without an answer of the server
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


def download(url, folder, console=None, name=None):
    """Downloads a file, unless an earlier call has.

    What was received before a break is kept as `NAME.part`. The next call goes on from there if the server can resume.
    The file is complete when its SHA-256 is that of the address (`…/file.weights.h5#sha256=HEX`), or, without one, when
    its size is the one that the server announced.

    Args:
        url: str, http or https, with a file's name at its end; `#sha256=` and 64 hexadecimal digits may follow.
        folder: path, made if it is missing.
        console: `rich.console.Console` for the progress, or `None` for standard error.
        name: str or `None`, the file's name in `folder`. `None` is the address's own, behind a digest of the address:
            files of one name from two addresses are then kept apart.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: if the address is malformed, nothing is there, the server cannot be reached or stops answering, or
            the size or the SHA-256 is wrong. A wrong file is removed.

    Example:
        >>> download("https://example.org/cells.weights.h5#sha256=9f86…", "~/weights")
    """
    address, wanted = _parse(url)
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    path = Path(folder).expanduser() / (name or f"{digest}-{file_name(address)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(path.with_name(f".{path.name}.lock")):
            if not path.is_file() or (wanted and _sha256(path) != wanted):
                _fetch(address, path, wanted, console or Console(stderr=True))
    except OSError as error:
        raise InputError(write_error_message(path, error)) from error
    return path


def _parse(url):
    """The address without its fragment, and the SHA-256 in the fragment or `None`."""
    address, fragment = urllib.parse.urldefrag(str(url))
    address = urllib.parse.quote(address, safe="/:?&=%@+,;~!$'()*[]#")  # names may have umlauts
    if not file_name(address):
        raise InputError(f"The address must have a host and end in a file's name. Received: {url}")
    if not fragment:
        return address, None
    match = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", fragment)
    if match is None:
        raise InputError(f"The part of an address after # must be sha256= and 64 hexadecimal digits. Received: {url}")
    return address, match[1].lower()


def _fetch(address, path, wanted, console):
    part = path.with_name(f"{path.name}.part")
    notes = path.with_name(f"{path.name}.part.json")
    total = _receive(address, part, notes, console, wanted)
    if total is None and wanted is None:
        _remove(part, notes)
        raise InputError(
            f"{address} cannot be checked: the server does not send its size. Add #sha256= and the file's SHA-256 to "
            "the address."
        )
    size = part.stat().st_size
    if total is not None and size < total:
        raise InputError(
            f"The download of {address} broke off after {size:,} of {total:,} bytes. Run it again to resume it."
        )
    received = _sha256(part) if wanted else None
    if received != wanted or (total is not None and size > total):
        _remove(part, notes)
        raise InputError(
            f"The file received from {address} is wrong and was removed: "
            + (f"its SHA-256 is {received}, not {wanted}." if wanted else f"it has {size:,} bytes, not {total:,}.")
        )
    os.replace(part, path)
    _remove(notes)


def _receive(address, part, notes, console, wanted):
    """Appends the missing bytes to `part`; returns the size of the whole file in bytes, `None` if it is unknown."""
    known = _read_notes(notes) if part.is_file() else {}
    # Without a version or a check sum, the part may come from another version of the file.
    trusted = known.get("version") or (wanted and part.is_file())
    have = part.stat().st_size if trusted else 0
    headers = {"User-Agent": "pix2seq_keras"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if known.get("version"):  # the server sends the whole file again if it has changed since
            headers["If-Range"] = known["version"]
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=TIMEOUT_SECONDS
        ) as answer:
            start, total = _extent(answer)
            same_file = start == 0 or known.get("total") in (None, total)
            if start not in (0, have) or not same_file:
                return _start_over(address, part, notes, console, have, wanted)
            _write_notes(notes, {"total": total, "version": _version(answer)})
            _append(answer, part, start, total, address, console)
            return total
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # no bytes follow: the part is the whole file, or of another version
            if (total := _total_of(error.headers.get("Content-Range"))) == have:
                return total
            return _start_over(address, part, notes, console, have, wanted)
        raise InputError(f"{address} cannot be fetched: the server answers {error.code} {error.reason}.") from error
    except urllib.error.URLError as error:
        raise InputError(
            f"{address} cannot be reached: {_reason(error.reason)}. Check the address and the network."
        ) from error
    except (InvalidURL, UnicodeError) as error:
        raise InputError(f"{address} is not an address: {error}.") from error
    except (TimeoutError, ConnectionError, SSLError, HTTPException) as error:
        raise InputError(f"The download of {address} broke off: {_reason(error)}. Run it again.") from error


def _start_over(address, part, notes, console, have, wanted):
    if not have:  # the whole file was requested
        raise InputError(f"{address} cannot be fetched: the server sends a part of the file that was not requested.")
    _remove(part, notes)
    return _receive(address, part, notes, console, wanted)


def _append(answer, part, start, total, address, console):
    with _progress(address, start, total, console) as advance, part.open("ab" if start else "wb") as file:
        have = start
        # read1 returns what has arrived, so that nothing is lost when the connection breaks.
        while (total is None or have < total) and (block := _read_block(answer)):
            file.write(block)
            have += len(block)
            advance(len(block))
        file.flush()
        os.fsync(file.fileno())  # without it, a power failure can leave an empty file under the final name


def _read_block(answer):
    try:
        return answer.read1(BLOCK)
    except (TimeoutError, ConnectionError, SSLError):
        raise
    except OSError as error:  # the caller takes other OSErrors as failures to write the file
        raise ConnectionError(error.errno, error.strerror) from error


def _extent(answer):
    """The first byte that the answer holds, and the size of the whole file in bytes or `None`."""
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
        return f"the server has not answered for {TIMEOUT_SECONDS:.0f} s"
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
