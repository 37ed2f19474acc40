"""A client of TensorFlow Serving's REST interface: http://HOST:PORT/v1/models/NAME."""

import base64
import json
import re
import time
from urllib.parse import urlsplit

import numpy as np
import requests
import urllib3

from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference.exported import RefusedCallError, sentence_of
from pix2seq_keras.inference.remote.open_remote import open_remote
from pix2seq_keras.inference.remote.retry import RetryPolicy, ServerUnavailableError
from pix2seq_keras.untrusted import parse_json

MAX_RESPONSE_BYTES = 256 * 2**20
_PATH = re.compile(r".*/v1/models/[^/:]+(/versions/\d+|/labels/[^/:]+)?")
_DTYPES = {"DT_FLOAT": np.float32, "DT_DOUBLE": np.float64, "DT_INT32": np.int32, "DT_INT64": np.int64}
_DTYPES |= {"DT_UINT8": np.uint8, "DT_BOOL": np.bool_, "DT_STRING": object}
_OVERLOADED = (429, 503)
# "identity": a compressed response could unpack to more than MAX_RESPONSE_BYTES of memory.
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


def open_rest(url, retry_policy=None):
    """Opens a model that is served over REST.

    Args:
        url: str, `http://HOST:PORT/v1/models/NAME` or `http://HOST:PORT/v1/models/NAME/versions/VERSION`; or https.
        retry_policy: `RetryPolicy` of every call, or `None` for the default.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if the URL is malformed, the server cannot be reached, or the model was not exported by
            `pix2seq export`.

    Example:
        >>> open_rest("http://localhost:8501/v1/models/digits").detect("image.png")
    """
    return open_remote(RestClient(url, retry_policy or RetryPolicy()))


class RestClient:
    """Calls one model of a server over REST.

    Args:
        url: str, see `open_rest`.
        retry_policy: `RetryPolicy`.

    Raises:
        InputError: if the URL is malformed.
    """

    def __init__(self, url, retry_policy):
        self.where = _normalize_url(url)
        self._retry_policy = retry_policy
        self._session = requests.Session()
        self._output_dtypes = {}  # signature -> {output: name of its dtype}

    def signatures(self):
        """Reads the model's signatures.

        Returns:
            Dictionary of signature to the sorted list of its inputs' names.

        Raises:
            InputError: if the server cannot be reached, fails, or is not TensorFlow Serving.
        """
        response = self._send("GET", "/metadata")
        try:
            definitions = response["metadata"]["signature_def"]["signature_def"]
            self._output_dtypes = {
                name: {output: tensor["dtype"] for output, tensor in definition.get("outputs", {}).items()}
                for name, definition in definitions.items()
            }
            return {name: sorted(definition.get("inputs", {})) for name, definition in definitions.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{self.where} does not respond as TensorFlow Serving does: its metadata has no signature_def."
            ) from error

    def call(self, signature, inputs):
        """Runs a signature.

        Args:
            signature: str.
            inputs: dictionary of input name to array.

        Returns:
            Dictionary of output name to NumPy array.

        Raises:
            RefusedCallError: if the model cannot use the inputs.
            InputError: if the server cannot be reached or fails.
        """
        body = {"signature_name": signature, "inputs": {name: _to_json(values) for name, values in inputs.items()}}
        response = self._send("POST", ":predict", body)
        dtypes = self._output_dtypes.get(signature, {})
        try:
            outputs = response["outputs"]
            if len(dtypes) == 1:  # TensorFlow Serving omits the name of a single output
                outputs = {next(iter(dtypes)): outputs}
            return {name: np.array(values, _DTYPES[dtypes[name]]) for name, values in outputs.items()}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(f"The response of {self.where} does not match its metadata: {error!r:.300}") from error

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()

        def attempt(seconds):
            end = time.monotonic() + seconds
            # (to connect, to read): a server that runs accepts connections quickly, but may compute for long.
            timeouts = (min(seconds, self._retry_policy.connect_timeout_s), seconds)
            try:
                with self._session.request(
                    method,
                    self.where + path,
                    data=data,
                    headers=_HEADERS,
                    timeout=timeouts,
                    stream=True,
                    allow_redirects=False,
                ) as response:
                    content = self._read_content(response, end)
                    return self._parse_response(response.status_code, content, response.headers)
            except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError) as error:
                raise self._deadline_error() from error
            except requests.exceptions.SSLError as error:
                raise InputError(f"{self.where}: the server's certificate is not trusted: {error}") from error
            except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
                raise ServerUnavailableError(
                    f"{self.where} cannot be reached. Is the server running? ({_innermost_reason(error)})"
                ) from error
            except requests.RequestException as error:
                raise InputError(f"{self.where}: the request failed: {error}") from error

        return self._retry_policy.call(attempt)

    def _deadline_error(self):
        return InputError(
            f"{self.where} did not respond within {self._retry_policy.deadline_s:g} s. Raise the deadline or send "
            "fewer images per request."
        )

    def _read_content(self, response, end):
        """Reads the response's body with a limit of size and time: `requests` has neither.

        `read1` returns what has arrived. `iter_content` would block until a whole chunk is there.
        """
        parts, size = [], 0
        while part := response.raw.read1(2**16, decode_content=False):
            size += len(part)
            if size > MAX_RESPONSE_BYTES:
                raise InputError(
                    f"The response of {self.where} has more than {MAX_RESPONSE_BYTES / 2**20:g} MB. Send fewer images "
                    "per request."
                )
            if time.monotonic() > end:
                raise TimeoutError
            parts.append(part)
        return b"".join(parts)

    def _parse_response(self, status, content, headers):
        try:
            # A response has up to millions of numbers: `detections` checks them as arrays.
            response = parse_json(content, "The response", strict=False)
        except InputError:
            response = None
        if status == 200 and isinstance(response, dict):
            return response
        error = response.get("error") if isinstance(response, dict) else None
        message = (
            sentence_of(error if isinstance(error, str) else short_repr(error))
            if error
            else f"HTTP {status}, no JSON: {content[:80].decode(errors='replace')!r}"
        )
        if status == 400 and error:
            raise RefusedCallError(message)
        if status in _OVERLOADED:
            raise ServerUnavailableError(f"{self.where} is overloaded: {message}", overloaded=True)
        if status == 404:
            raise InputError(f"{self.where}: the server has no such model, version or path: {message}")
        if status == 413:
            raise InputError(
                f"{self.where}: a message was too large. Send fewer or smaller images per request. ({message})"
            )
        if status == 504:
            raise InputError(f"{self.where} did not respond within the server's own timeout: {message}")
        if 300 <= status < 400:
            raise InputError(
                f"{self.where} redirects, and redirects are not followed. "
                f"Use {headers.get('Location', 'another address')!r}."
            )
        if status == 200:
            raise InputError(f"{self.where} does not respond as TensorFlow Serving does: {message}")
        raise InputError(f"{self.where} failed (HTTP {status}): {message}")


def _to_json(values):
    """An array as lists; bytes as `{"b64": …}`."""
    values = np.asarray(values)
    if values.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return values.tolist()


def _normalize_url(url):
    """The URL without a trailing slash, `:predict` or `/metadata`."""
    stripped = url.rstrip("/").removesuffix(":predict").removesuffix("/metadata")
    try:
        parts = urlsplit(stripped)
        _ = parts.port
    except ValueError as error:
        raise _malformed_url(url, f" ({error})") from error
    valid = parts.scheme in ("http", "https") and parts.hostname and _PATH.fullmatch(parts.path)
    if not valid or parts.query or parts.fragment or "@" in parts.netloc:
        raise _malformed_url(url)
    return stripped


def _malformed_url(url, reason=""):
    return InputError(
        "The URL of a served model must be http://HOST:PORT/v1/models/NAME or "
        f"http://HOST:PORT/v1/models/NAME/versions/VERSION. Received: {url!r}{reason}."
    )


def _innermost_reason(error):
    """The cause inside the messages that urllib3's pools and retries wrap around it."""
    text = str(error)
    return text.rsplit(": ", 1)[-1].strip("'()\" ")[:200]
