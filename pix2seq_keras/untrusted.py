"""The one way to read JSON, YAML and members of zip files that somebody else may have written.

A few hundred bytes of them can stand for gigabytes: aliases in YAML, brackets nested a thousand deep, a zip that
states another size than it unpacks to. Numbers can be infinite or have five thousand digits. Here all of these are an
`InputError` that names the file.
"""

import json
import math
import stat

import yaml

from pix2seq_keras.errors import InputError

MEGABYTE = 1 << 20
MAX_BYTES = 16 * MEGABYTE  # of recipes, descriptions and configurations, which have some kilobytes
MAX_DEPTH = 100  # of nested lists and mappings; a configuration of a Keras model needs some thirty
_INT64 = range(-(2**63), 2**63)
_MAX_REASON = 300  # characters of a parser's own sentence


def read_file(path, max_bytes=MAX_BYTES, what="A file"):
    """Reads a regular file of limited size.

    Args:
        path: `pathlib.Path`.
        max_bytes: int, the largest size accepted.
        what: str, what messages call a file of this kind.

    Returns:
        bytes.

    Raises:
        InputError: if it is missing, not readable, not a regular file (opening a pipe would block) or too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{what} must be a regular file. Received: {path}")
        if status.st_size > max_bytes:
            raise InputError(
                f"{what} of this kind must have at most {max_bytes / MEGABYTE:g} MB. "
                f"Received: {path} with {status.st_size / MEGABYTE:,.0f} MB"
            )
        with path.open("rb") as file:
            return file.read(status.st_size)  # not more, if it grows meanwhile
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} is not a valid file name ({error}).") from error


def read_member(archive, name, max_bytes=MAX_BYTES):
    """Reads a file of a zip archive, at most a number of bytes, whatever size the archive states.

    Args:
        archive: `zipfile.ZipFile`.
        name: str, the file in it.
        max_bytes: int, the most bytes that it may unpack to.

    Returns:
        bytes.

    Raises:
        InputError: if it unpacks to more.
        KeyError, zipfile.BadZipFile, zlib.error, …: as `zipfile.ZipFile.open`.
    """
    with archive.open(name) as member:
        content = member.read(max_bytes + 1) if archive.getinfo(name).file_size <= max_bytes else None
    if content is None or len(content) > max_bytes:
        raise InputError(f"{name} in {archive.filename} is too large: at most {max_bytes / MEGABYTE:g} MB are read.")
    return content


def parse_json(data, name, strict=True, object_hook=None):
    """Parses JSON.

    Args:
        data: bytes or str.
        name: str, its name in messages.
        strict: bool, whether values are checked too, as `check_values` does, and keys that are given twice are refused.
            False is for large files whose reader checks every value itself.
        object_hook: function of a dictionary that replaces it, or None; for `strict=False` only.

    Returns:
        The document.

    Raises:
        InputError: if it cannot be parsed or, with `strict`, holds other values.

    Example:
        >>> parse_json(b'{"steps": [3]}', "a.json")
        {'steps': [3]}
    """
    hooks = {"object_pairs_hook": lambda pairs: _unique(pairs, name)} if strict else {"object_hook": object_hook}
    try:
        document = json.loads(data, **hooks)
    except json.JSONDecodeError as error:
        what = "is empty" if not data.strip() else f"is not JSON, or is truncated: {error.msg}"
        raise InputError(f"{name} {what} (line {error.lineno}, column {error.colno}).") from error
    except InputError:
        raise
    except (ValueError, TypeError, RecursionError) as error:  # not UTF-8, a number of 5,000 digits, nested brackets
        raise InputError(f"{name} cannot be parsed as JSON: {error}.") from error
    return check_values(document, name) if strict else document


def parse_yaml(data, name, strict=True):
    """Parses YAML without aliases, with which a few lines could fill the memory, and without objects of Python.

    Args:
        data: bytes or str.
        name: str, its name in messages.
        strict: as in `parse_json`.

    Returns:
        The document.

    Raises:
        InputError: if it cannot be parsed, has aliases or, with `strict`, holds other values.

    Example:
        >>> parse_yaml("steps: [3]", "a.yaml")
        {'steps': [3]}
    """
    try:
        document = yaml.load(data, _StrictLoader if strict else _PlainLoader)
    # PyYAML's constructors raise other errors than YAMLError too: ValueError, IndexError, KeyError, RecursionError, …
    except Exception as error:
        what = " ".join(str(error).split())[:_MAX_REASON] or type(error).__name__
        raise InputError(f"{name} cannot be parsed as YAML: {what}.") from error
    return check_values(document, name) if strict else document


def check_values(document, name):
    """Refuses values that no file of this package has.

    Args:
        document: what a parser of JSON or YAML returned.
        name: str, its name in messages.

    Returns:
        The document.

    Raises:
        InputError: for a number that is not finite or a whole number of more than 64 bits, for a value that JSON does
            not have, and for lists and mappings nested deeper than `MAX_DEPTH`.
    """
    level = [document]
    for _ in range(MAX_DEPTH):
        for value in level:
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"{name} must hold finite numbers only. Received: {value}.")
            if isinstance(value, int) and value not in _INT64:
                raise InputError(
                    f"{name} must hold whole numbers of at most 64 bits. Received: one of {value.bit_length()} bits."
                )
            if not isinstance(value, dict | list | str | int | float | None):
                raise InputError(f"{name} must hold text, numbers, lists and mappings. Received: {value!r:.80}.")
        inner = [value for value in level if isinstance(value, dict | list)]
        level = [entry for value in inner for entry in _entries(value)]
        if not level:
            return document
    raise InputError(f"{name} must have at most {MAX_DEPTH} levels of lists and mappings.")


class _PlainLoader(yaml.SafeLoader):
    """A safe loader without aliases."""

    _depth = 0

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it has more than {MAX_DEPTH} levels of lists and mappings")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _StrictLoader(_PlainLoader):
    """A loader that refuses keys that are given twice, of which YAML's would keep the last."""

    def construct_mapping(self, node, deep=False):
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(keys) > len(set(keys)):
                raise yaml.YAMLError(f"the key {_repeated(keys)!r:.80} is given twice")
        return super().construct_mapping(node, deep)


def _unique(pairs, name):
    document = dict(pairs)
    if len(document) < len(pairs):
        raise InputError(f"{name} gives the key {_repeated([key for key, _ in pairs])!r:.80} twice.")
    return document


def _repeated(keys):
    seen = set()
    return next(key for key in keys if key in seen or seen.add(key))


def _entries(value):
    return [*value.keys(), *value.values()] if isinstance(value, dict) else value
