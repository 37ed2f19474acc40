"""http://HOST:PORT/v1/models/NAME: a model behind the REST interface of TensorFlow Serving."""

import base64
import json
import re
import time
from urllib.parse import urlsplit

import numpy as np
import requests
import urllib3

from pix2seq_keras.errors import InputError
from pix2seq_keras.inference.exported import RefusedCallError, sentence_of
from pix2seq_keras.inference.remote.retry import RetryPolicy, ServerUnavailableError
from pix2seq_keras.inference.remote.served import open_served

MOST_BYTES = 256 * 2**20  # of an answer
_PATH = re.compile(r".*/v1/models/[^/:]+(/versions/\d+|/labels/[^/:]+)?")
_TYPES = {"DT_FLOAT": np.float32, "DT_DOUBLE": np.float64, "DT_INT32": np.int32, "DT_INT64": np.int64}
_TYPES |= {"DT_UINT8": np.uint8, "DT_BOOL": np.bool_, "DT_STRING": object}
_BUSY = (429, 503)
# Not compressed: the bound on an answer's length is one on memory.
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


def open_rest(url, retry_policy=None):
    """Opens a served model.

    Args:
        url: str, `http://HOST:PORT/v1/models/NAME` or `…/NAME/versions/VERSION`; https too.
        retry_policy: `RetryPolicy` of every call, or `None` for the default.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if the URL is malformed, nobody answers there, or it is not a model of `pix2seq export`.
    """
    return open_served(RestClient(url, retry_policy or RetryPolicy()))


class RestClient:
    """Calls to one model of one server.

    Args:
        url: str, see `open_rest`.
        retry_policy: `RetryPolicy`.
    """

    def __init__(self, url, retry_policy):
        self.where = _checked(url)
        self._retry_policy = retry_policy
        self._session = requests.Session()
        self._outputs = {}  # signature -> {output: dtype}

    def signatures(self):
        """Dictionary of the model's signatures -> the names of their inputs."""
        answer = self._ask("GET", "/metadata")
        try:
            known = answer["metadata"]["signature_def"]["signature_def"]
            self._outputs = {
                name: {output: tensor["dtype"] for output, tensor in one.get("outputs", {}).items()}
                for name, one in known.items()
            }
            return {name: sorted(one.get("inputs", {})) for name, one in known.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{self.where} answers, but not as TensorFlow Serving does: its metadata has no signature_def."
            ) from error

    def call(self, signature, inputs):
        """See `ExportedDetector`."""
        body = {"signature_name": signature, "inputs": {name: _plain(values) for name, values in inputs.items()}}
        answer = self._ask("POST", ":predict", body)
        types = self._outputs.get(signature, {})
        try:
            outputs = answer["outputs"]
            if len(types) == 1:  # the only output goes without its name
                outputs = {next(iter(types)): outputs}
            return {name: np.array(values, _TYPES[types[name]]) for name, values in outputs.items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{self.where} answered, but not as its own metadata says: {error!r}") from error

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()

        def attempt(seconds):
            end = time.monotonic() + seconds
            # Connecting is quick or hopeless; an answer takes its time.
            retry_policy = (min(seconds, self._retry_policy.connect_s), seconds)
            try:
                with self._session.request(
                    method,
                    self.where + path,
                    data=data,
                    headers=_HEADERS,
                    timeout=retry_policy,
                    stream=True,
                    allow_redirects=False,
                ) as response:
                    return self._answer(response.status_code, self._content(response, end), response.headers)
            except (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError) as error:
                raise self._too_late() from error
            except requests.exceptions.SSLError as error:
                raise InputError(f"{self.where} has no certificate that can be trusted: {error}") from error
            except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
                raise ServerUnavailableError(
                    f"{self.where} cannot be reached: is the server running there? ({_reason(error)})"
                ) from error
            except requests.RequestException as error:
                raise InputError(f"{self.where} cannot be asked: {error}") from error

        return self._retry_policy.call(attempt)

    def _too_late(self):
        return InputError(
            f"{self.where} did not answer within {self._retry_policy.deadline_s:g} s: allow more time, or send fewer "
            "images at once."
        )

    def _content(self, response, end):
        """The whole answer, unless it is too long or too slow: `requests` itself bounds neither.

        What has arrived is taken as it comes: `iter_content` would wait until it is a chunk.
        """
        parts, size = [], 0
        while part := response.raw.read1(2**16, decode_content=False):
            size += len(part)
            if size > MOST_BYTES:
                raise InputError(
                    f"{self.where} answered with more than {MOST_BYTES / 2**20:g} MB: send fewer images at once."
                )
            if time.monotonic() > end:
                raise TimeoutError
            parts.append(part)
        return b"".join(parts)

    def _answer(self, status, content, headers):
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        error = answer.get("error") if isinstance(answer, dict) else None
        said = (
            sentence_of(str(error)) if error else f"HTTP {status}, no JSON: {content[:80].decode(errors='replace')!r}"
        )
        if status == 400 and error:
            raise RefusedCallError(said)
        if status in _BUSY:
            raise ServerUnavailableError(f"{self.where} is overloaded: {said}", reached=True)
        if status == 404:
            raise InputError(f"The server of {self.where} does not know this model, version or path: {said}")
        if status == 413:
            raise InputError(f"A message to {self.where} was too large: send fewer or smaller images at once. ({said})")
        if status == 504:
            raise InputError(f"{self.where} did not answer within the server's own time limit: {said}")
        if 300 <= status < 400:
            raise InputError(f"{self.where} is elsewhere: use {headers.get('Location', 'another address')!r}.")
        if status == 200:
            raise InputError(f"{self.where} answers, but not as TensorFlow Serving does: {said}")
        raise InputError(f"{self.where} failed (HTTP {status}): {said}")


def _plain(values):
    values = np.asarray(values)
    if values.dtype == object:
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return values.tolist()


def _checked(url):
    """The URL without a slash or `:predict` at its end."""
    stripped = url.rstrip("/").removesuffix(":predict").removesuffix("/metadata")
    try:
        parts = urlsplit(stripped)
        _ = parts.port
    except ValueError as error:
        raise _malformed(url, str(error)) from error
    well = parts.scheme in ("http", "https") and parts.hostname and _PATH.fullmatch(parts.path)
    if not well or parts.query or parts.fragment or "@" in parts.netloc:
        raise _malformed(url, "it must be http://HOST:PORT/v1/models/NAME or …/NAME/versions/VERSION")
    return stripped


def _malformed(url, why):
    return InputError(f"{url!r} is no address of a served model: {why}.")


def _reason(error):
    """The innermost reason: urllib3 wraps it in its pools and retries."""
    text = str(error)
    return text.rsplit(": ", 1)[-1].strip("'()\" ")[:200]
