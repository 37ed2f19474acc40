"""Large images made smaller once, and kept on disk.

Most of the time that an image of a modern camera costs goes into pixels that training then throws away. With a
cache, images longer than `longest_side` *are* their reduced copies, by definition: reduced with an antialiasing
bilinear filter (that of the test-time resize), then written as JPEG of quality 95 without subsampled colours: a
quarter of the bytes of a PNG, and decoded in a quarter of its time. What is not in the cache takes the same way,
through the JPEG and back, so examples do not depend on what the cache holds, bit for bit.

A copy is found by what its original contains, not by its name. It is written under another name first, and carries a
checksum: readers on many machines can share a folder, and whatever is damaged is made again.
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
_SMALL = "small"  # in place of a key: nothing is kept of this image
_ENDING, _TEMPORARY = ".jpg+", ".tmp"
_ABANDONED_S = 3600  # a temporary file as old as this has lost its writer
_REMEMBERED = 1_000_000  # originals whose contents are known: about 200 MB
_PATIENCE_S = 60  # between looks into a folder that was full the last time


class ImageCache:
    """A bounded folder of reduced images, to be used as `with reading_by(cache): …`.

    Where it is full, copies that nobody has used since this cache was opened make room, the longest unused first. Those
    in use stay: as every epoch visits every image once, throwing out some for others would gain nothing.

    Args:
        folder: str or path, made if need be. Several programs may use one at once.
        gigabytes: float > 0, the most it holds, 10⁹ bytes each. With several writers it may be a little more for a
            while.
        longest_side: int, pixels. Longer images are reduced to it; others are read as they are and not kept.

    Raises:
        InputError: a number is out of range, or the folder cannot be written.

    Example:
        >>> cache = ImageCache("~/.cache/images", gigabytes=20, longest_side=1333)
        >>> with reading_by(cache):
        ...     example = source.read(0)
    """

    def __init__(self, folder, gigabytes=20.0, longest_side=1333):
        if not gigabytes > 0 or longest_side < 1:
            raise InputError(
                "A cache of images needs gigabytes above 0 and a longest side of at least 1 pixel. "
                f"Received: gigabytes={gigabytes}, longest_side={longest_side}"
            )
        self.folder = Path(folder).expanduser()
        self.limit = int(gigabytes * 1e9)
        self.longest_side = longest_side
        require_writable_folder(self.folder)
        # Other versions may decode, filter or write otherwise: what they have kept is never mixed with ours.
        self._recipe = f"1 {longest_side} {_QUALITY} {tf.__version__} {PIL.__version__}".encode()
        self._opened = time.time()
        self._lock = threading.Lock()
        self._keys: dict[bytes, str] = {}
        self._storing = True
        self._bytes = 0
        self._counted = 0
        self._full_until = 0.0
        self._count(0)

    def __call__(self, file, decode):
        """Reads an image, see `images.reading_by`.

        Args:
            file: `ImageFile`.
            decode: function, the bytes of the file -> uint8 (H, W, 3).

        Returns:
            uint8 array (h, w, 3), no longer than `longest_side`.
        """
        stamp = hashlib.blake2b(repr(file.stamp).encode(), digest_size=16).digest() if file.stamp else None
        key = self._keys.get(stamp)
        data = None
        if key is None:
            data = file.load()
            key = hashlib.blake2b(self._recipe + data, digest_size=20).hexdigest()
        pixels = None if key == _SMALL else self._read(key)
        if pixels is None:
            pixels, key = self._decode(key, file.load() if data is None else data, decode)
        if stamp and len(self._keys) < _REMEMBERED:
            self._keys[stamp] = key  # from now on the original need not even be read
        return pixels

    def _decode(self, key, data, decode):
        """From the original: (pixels, key), and the copy is kept."""
        pixels = decode(data)
        if max(pixels.shape[:2]) <= self.longest_side:
            return pixels, _SMALL
        copy = tf.io.encode_jpeg(
            _reduced(pixels, self.longest_side), quality=_QUALITY, chroma_downsampling=False
        ).numpy()
        self._write(key, copy)
        return _decoded(copy), key

    def _path(self, key):
        return self.folder / key[:2] / f"{key}{_ENDING}"

    def _read(self, key):
        """Pixels of a copy, or None where there is none that is whole."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        copy, checksum = data[:-4], data[-4:]
        if zlib.crc32(copy).to_bytes(4, "big") != checksum:
            return None  # it is written again over this one
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < self._opened:
                os.utime(path)  # in use
        try:
            return _decoded(copy)
        except tf.errors.OpError:  # the checksum of nothing is right too
            return None

    def _write(self, key, copy):
        size = len(copy) + 4
        if not self._storing or not self._make_room(size):
            return
        path, temporary = self._path(key), None
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor, name = tempfile.mkstemp(suffix=_TEMPORARY, dir=path.parent)
            temporary = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(copy)
                file.write(zlib.crc32(copy).to_bytes(4, "big"))
            temporary.chmod(0o644)  # mkstemp's are the owner's alone; a cache is shared
            os.replace(temporary, path)
        except OSError as error:
            self._storing = False
            warnings.warn(
                f"{write_error_message(path, error)} Until then images are reduced anew each time.", stacklevel=2
            )
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()

    def _make_room(self, size):
        """Takes `size` bytes of the limit, if they can be had by throwing out what nobody uses."""
        with self._lock:
            # Other writers are seen only by counting.
            if self._bytes - self._counted > self.limit // 16:
                self._count(0)
            if self._bytes + size > self.limit and time.monotonic() > self._full_until:
                self._count(size)
            if self._bytes + size > self.limit:
                return False
            self._bytes += size
            return True

    def _count(self, size):
        """Adds up what all writers have put here; if `size` bytes are not free, the longest unused go."""
        found = []
        now = time.time()
        for entry in itertools.chain.from_iterable(map(_entries, self.folder.glob("??"))):
            with contextlib.suppress(OSError):  # another reader's may vanish at any time
                status = entry.stat()
                if entry.name.endswith(_TEMPORARY) and now - status.st_mtime > _ABANDONED_S:
                    Path(entry.path).unlink()
                elif entry.name.endswith((_ENDING, _TEMPORARY)):
                    found.append((status.st_mtime, status.st_size, entry.path))
        self._bytes = sum(bytes_used for _, bytes_used, _ in found)
        if self._bytes + size > self.limit:
            wanted = self.limit - max(size, self.limit // 32)  # some room more, not to count again at every image
            for used, freed, path in sorted(found):
                if self._bytes <= wanted or used >= self._opened:
                    break
                with contextlib.suppress(OSError):
                    Path(path).unlink()
                self._bytes -= freed
            if self._bytes + size > self.limit:
                self._full_until = time.monotonic() + _PATIENCE_S
        self._counted = self._bytes


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _reduced(pixels, longest_side):
    """uint8 (H, W, 3) -> uint8 (h, w, 3), the longer side `longest_side`, the aspect kept up to rounding."""
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def _decoded(copy):
    return tf.io.decode_jpeg(copy, channels=3).numpy()
