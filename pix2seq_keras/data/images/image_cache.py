"""A cache on disk of reduced copies of large images.

Decoding a large photograph costs much more time than training needs from it. With a cache, an image longer than
`longest_side` is replaced by its reduced copy: reduced with an antialiasing bilinear filter (that of the test-time
resize), then encoded as JPEG of quality 95 without chroma subsampling, which has a quarter of the bytes and of the
decoding time of a PNG. An image that is not in the cache is encoded and decoded in the same way, so examples do not
depend on the content of the cache, bit for bit.

The key of a copy is the content of its original, not its name. A copy is written under a temporary name first and has
a checksum, so readers on many machines can share a folder, and damaged copies are made again.
"""

import contextlib
import hashlib
import itertools
import os
import tempfile
import threading
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL
import tensorflow as tf
from PIL import Image

from pix2seq_keras.atomic_files import require_writable_folder, write_error_message
from pix2seq_keras.errors import InputError

_QUALITY = 95
_NOT_CACHED = "small"  # in place of a key: this image is small and has no copy
_SUFFIX, _TEMPORARY_SUFFIX = ".jpg+", ".tmp"
_ABANDONED_S = 3600  # the writer of an older temporary file is gone
_MAX_KEYS = 1_000_000  # keys kept in memory: about 200 MB
_RECOUNT_AFTER_S = 60  # pause between two counts of a full folder


class ImageCache:
    """A folder of limited size with reduced images, used as `with use_image_reader(cache): …`.

    If the folder is full, copies that nobody has used since this cache was opened are deleted, the least recently used
    first. Copies in use stay: an epoch reads every image once, so replacing one copy by another would gain nothing.

    Args:
        folder: str or path, created if it is missing. Several programs may use it at the same time.
        gigabytes: float > 0, its largest size, in 10⁹ bytes. With several writers it may be exceeded a little for a
            short time. Defaults to 20.
        longest_side: int, pixels. Longer images are reduced to it; others are read unchanged and not cached. Defaults
            to 1333.

    Raises:
        InputError: if a number is out of range, or the folder cannot be written.

    Example:
        >>> cache = ImageCache("~/.cache/images", gigabytes=20, longest_side=1333)
        >>> with use_image_reader(cache):
        ...     example = source.read(0)
    """

    def __init__(self, folder, gigabytes=20.0, longest_side=1333):
        if not gigabytes > 0 or longest_side < 1:
            raise InputError(
                "`gigabytes` must be above 0 and `longest_side` at least 1. "
                f"Received: gigabytes={gigabytes}, longest_side={longest_side}"
            )
        self.folder = Path(folder).expanduser()
        self.limit = int(gigabytes * 1e9)
        self.longest_side = longest_side
        require_writable_folder(self.folder)
        # Other versions may decode, filter or encode differently: their copies have other keys.
        self._version = f"1 {longest_side} {_QUALITY} {tf.__version__} {PIL.__version__}".encode()
        self._opened = time.time()
        self._lock = threading.Lock()
        self._keys = {}
        self._storing = True
        self._bytes = 0
        self._counted = 0
        self._full_until = 0.0
        self._count(0)

    def __call__(self, file, decode):
        """Reads an image, see `use_image_reader`.

        Args:
            file: `ImageFile`.
            decode: function of the bytes of the file that returns pixels, uint8 (H, W, 3).

        Returns:
            uint8 array (h, w, 3), no longer than `longest_side`.
        """
        stamp = hashlib.blake2b(repr(file.stamp).encode(), digest_size=16).digest() if file.stamp else None
        key = self._keys.get(stamp)
        data = None
        if key is None:
            data = file.load()
            key = hashlib.blake2b(self._version + data, digest_size=20).hexdigest()
        pixels = None if key == _NOT_CACHED else self._read(key)
        if pixels is None:
            pixels, key = self._decode(key, file.load() if data is None else data, decode)
        if stamp and len(self._keys) < _MAX_KEYS:
            self._keys[stamp] = key  # from now on the original is not read any more
        return pixels

    def _decode(self, key, data, decode):
        """Decodes the original and writes its copy: `(pixels, key)`."""
        pixels = decode(data)
        if max(pixels.shape[:2]) <= self.longest_side:
            return pixels, _NOT_CACHED
        copy = tf.io.encode_jpeg(
            _reduce(pixels, self.longest_side), quality=_QUALITY, chroma_downsampling=False
        ).numpy()
        self._write(key, copy)
        return _decode_copy(copy), key

    def _path(self, key):
        return self.folder / key[:2] / f"{key}{_SUFFIX}"

    def _read(self, key):
        """The pixels of a copy, or None if there is no intact copy."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        copy, checksum = data[:-4], data[-4:]
        if zlib.crc32(copy).to_bytes(4, "big") != checksum:
            return None  # it is replaced
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < self._opened:
                os.utime(path)  # marks it as in use
        try:
            return _decode_copy(copy)
        except tf.errors.OpError:  # an empty copy has a valid checksum
            return None

    def _write(self, key, copy):
        size = len(copy) + 4
        if not self._storing or not self._make_room(size):
            return
        path, temporary = self._path(key), None
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor, name = tempfile.mkstemp(suffix=_TEMPORARY_SUFFIX, dir=path.parent)
            temporary = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(copy)
                file.write(zlib.crc32(copy).to_bytes(4, "big"))
            temporary.chmod(0o644)  # mkstemp allows only the owner; a cache is shared
            os.replace(temporary, path)
        except OSError as error:
            self._storing = False
            warnings.warn(
                f"{write_error_message(path, error)} Images are reduced each time they are read instead.", stacklevel=2
            )
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()

    def _make_room(self, size):
        """Reserves `size` bytes, deleting unused copies if necessary: bool, whether there is room."""
        with self._lock:
            # Only counting shows what other writers have added.
            if self._bytes - self._counted > self.limit // 16:
                self._count(0)
            if self._bytes + size > self.limit and time.monotonic() > self._full_until:
                self._count(size)
            if self._bytes + size > self.limit:
                return False
            self._bytes += size
            return True

    def _count(self, size):
        """Measures the folder and deletes the least recently used copies until `size` bytes are free."""
        copies = []
        now = time.time()
        for entry in itertools.chain.from_iterable(map(_entries, self.folder.glob("??"))):
            with contextlib.suppress(OSError):  # another program may delete a file at any time
                status = entry.stat()
                if entry.name.endswith(_TEMPORARY_SUFFIX) and now - status.st_mtime > _ABANDONED_S:
                    Path(entry.path).unlink()
                elif entry.name.endswith((_SUFFIX, _TEMPORARY_SUFFIX)):
                    copies.append((status.st_mtime, status.st_size, entry.path))
        self._bytes = sum(bytes_used for _, bytes_used, _ in copies)
        if self._bytes + size > self.limit:
            wanted = self.limit - max(size, self.limit // 32)  # with a margin, so that not every image starts a count
            for used, freed, path in sorted(copies):
                if self._bytes <= wanted or used >= self._opened:
                    break
                with contextlib.suppress(OSError):
                    Path(path).unlink()
                self._bytes -= freed
            if self._bytes + size > self.limit:
                self._full_until = time.monotonic() + _RECOUNT_AFTER_S
        self._counted = self._bytes


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _reduce(pixels, longest_side):
    """uint8 (H, W, 3) -> uint8 (h, w, 3) with the longer side `longest_side` and the same aspect ratio."""
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def _decode_copy(copy):
    return tf.io.decode_jpeg(copy, channels=3).numpy()
