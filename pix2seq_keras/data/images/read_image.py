"""Decoding of image files; training, evaluation and prediction all use this module.

JPEG is decoded by TensorFlow, as for the training and evaluation of the published models (Pillow differs by up to 4
levels of 255). Plain PNG is decoded by TensorFlow too, which is faster. Pillow decodes everything else.
"""

import contextlib
import contextvars
import functools
import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data.images.deep_pixels import has_deep_colours, stretch_png
from pix2seq_keras.data.images.exif import orientation_of, swaps_axes, upright_pixels
from pix2seq_keras.data.images.given_image import given_image, name_of_file
from pix2seq_keras.data.images.heif import is_heif, require_heif
from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.jpeg_scans import inspect_jpeg
from pix2seq_keras.data.images.rgb import from_array, on_white, to_rgb

MAX_PIXELS = 100_000_000  # larger ones, such as decompression bombs, would take 300 MB or more in every thread
# Pillow's other plugins are for rare formats, and some start programs (EPS runs Ghostscript).
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")


@dataclass(frozen=True)
class ImageInfo:
    """The contents of an image's header.

    Args:
        width: int, pixels, of the upright image.
        height: int, pixels, of the upright image.
        stored_width: int, pixels, of the image as stored.
        stored_height: int, pixels, of the image as stored.
        exif_orientation: int, 1…8; 1 is upright, 5…8 swap the axes.
        mode: str, Pillow's mode: "RGB", "L", "P", "CMYK", "I;16", …
        format: str, Pillow's format: "JPEG", "PNG", …
        plain: bool, whether a TensorFlow image decoder alone returns the same pixels as `read_image`.
    """

    width: int
    height: int
    stored_width: int
    stored_height: int
    exif_orientation: int
    mode: str
    format: str
    plain: bool


@dataclass(frozen=True)
class ImageFile:
    """An image file before it is decoded.

    Args:
        name: str, its name in error messages.
        path: `Path`, or None if the image was given as bytes.
        stamp: tuple (path, size in bytes, time of the last change, inode), or None if it was given as bytes.
        info: `ImageInfo`, or None if its header has not been parsed.
        load: function without arguments that returns the bytes of the file.
    """

    name: str
    path: Path | None
    stamp: tuple | None
    info: ImageInfo | None
    load: Callable[[], bytes]


# Sources call `read_image` inside `read`: as a parameter, the reader would have to pass through all of them.
_image_reader = contextvars.ContextVar("image_reader", default=None)


@contextlib.contextmanager
def use_image_reader(image_reader):
    """Context in which `read_image` reads files in another way, such as from a cache. It holds for this thread only.

    Args:
        image_reader: function (file, decode) that returns pixels, uint8 (H, W, 3). `file` is an `ImageFile`; `decode`
            takes the bytes of the file and returns its pixels or raises `ImageError`. None reads files as usual.

    Example:
        >>> with use_image_reader(lambda file, decode: decode(file.load())[::2, ::2]):
        ...     example = source.read(0)
    """
    token = _image_reader.set(image_reader)
    try:
        yield
    finally:
        _image_reader.reset(token)


def inspect_image(image, max_pixels=MAX_PIXELS):
    """Reads an image's header, not its pixels. This is fast, but does not detect a truncated image.

    Args:
        image: path, the bytes of a file, or a file that is open in binary mode.
        max_pixels: int, the largest number of pixels accepted. Defaults to 100 million.

    Returns:
        `ImageInfo`.

    Raises:
        ImageError: if the file is missing, empty, a folder, not readable, not an image, or too large.

    Example:
        >>> inspect_image("photo.jpg").width
        640
    """
    name = _name_of_bytes(image)
    image = given_image(image)
    if isinstance(image, np.ndarray):
        raise ImageError("An image's header is read from a path, bytes or an open file. Received: pixels.")
    if isinstance(image, bytes):
        source = io.BytesIO(image)
        if not image:
            raise ImageError(f"The image {name} is empty (0 bytes).")
    else:
        name, source, _ = _regular_file(image)
    image = _open_image(source, name, max_pixels)
    try:
        return _info(image)
    finally:
        image.close()


def read_image(image, name=None, max_pixels=MAX_PIXELS, info=None):
    """Reads an image as upright RGB. It may be called from many threads at once.

    EXIF orientation is applied, transparency is placed over white, grey becomes three equal channels, 16 bits are
    scaled to 8 (12 bits in 16 are stretched, with a warning), and CMYK is converted. HEIC requires pillow-heif. Of
    several frames the first is read. Colour profiles are ignored.

    Args:
        image: path, the bytes of a file, a file that is open in binary mode, a PIL image, or a uint8 array (H, W),
            (H, W, 1), (H, W, 3) or, with alpha, (H, W, 4).
        name: str or None, the image's name in error messages. Defaults to its path.
        max_pixels: int, the largest number of pixels accepted. Defaults to 100 million.
        info: `ImageInfo` or None, the header of this file, if it is known: it is then not parsed again.

    Returns:
        uint8 array (H, W, 3).

    Raises:
        ImageError: if the image cannot be read completely.

    Example:
        >>> read_image("photo.jpg").shape
        (480, 640, 3)
    """
    name_of_bytes = _name_of_bytes(image)
    image = given_image(image)
    if isinstance(image, np.ndarray):
        return from_array(image)
    if isinstance(image, bytes):
        file = ImageFile(name or name_of_bytes, None, None, info, lambda: image)
    else:
        path_name, path, status = _regular_file(image)
        name, stamp = name or path_name, (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
        file = ImageFile(name, path, stamp, info, lambda: _file_bytes(path, name))
    decode = lambda data: _decode(data, file.name, max_pixels, info)
    image_reader = _image_reader.get()
    return decode(file.load()) if image_reader is None else image_reader(file, decode)


def _name_of_bytes(image):
    return name_of_file(image) if hasattr(image, "read") else "given as bytes"


def _file_bytes(path, name):
    try:
        return path.read_bytes()
    except OSError as error:
        raise _cannot_open(name, error) from error


def _decode(data, name, max_pixels, info):
    if not data:
        raise ImageError(f"The image {name} is empty (0 bytes).")
    stored_size, problem = inspect_jpeg(data) if data.startswith(b"\xff\xd8") else (_png_size(data), None)
    if problem is not None:
        raise ImageError(f"The JPEG {name} is not decoded: {problem}. Save it again with an image editor.")
    unchanged = info is not None and stored_size == (info.stored_width, info.stored_height)
    if unchanged and info.plain and info.width * info.height <= max_pixels:
        # If the file has changed since, only new EXIF or transparency is missed.
        pixels = _try_decoder(tf.io.decode_png if info.format == "PNG" else tf.io.decode_jpeg, data)
        if pixels is not None:
            return pixels
    image = _open_image(io.BytesIO(data), name, max_pixels)
    orientation = orientation_of(image) if info is None else info.exif_orientation
    decoder = _tensorflow_decoder(image)
    pixels = None
    if has_deep_colours(image) and (stretched := stretch_png(data, name)) is not None:
        pixels = on_white(stretched)
    if pixels is None and decoder is not None:
        pixels = _try_decoder(decoder, data)
    if pixels is None:
        if image.format == "TIFF":
            orientation = 1  # Pillow applies the orientation of this format itself
        pixels = _decode_with_pillow(image, name)
    return np.ascontiguousarray(upright_pixels(pixels, orientation))  # (H, W, 3)


def _png_size(data):
    """The size in a PNG's header, `(width, height)`; `None` for another file."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"):
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _regular_file(path):
    """The path's name for messages, the path and its status, if it is a regular file that is not empty."""
    name, path = repr(os.fspath(path)), Path(path)  # repr: names may hold line breaks or control characters
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(f"There is no image {name}.", kind="missing image") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the name
        raise _cannot_open(name, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{name} is a folder, where an image was expected.")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
        raise ImageError(f"{name} is not a regular file, where an image was expected.")
    if status.st_size == 0:
        raise ImageError(f"The image {name} is empty (0 bytes).")
    return name, path, status


def _cannot_open(name, error):
    if isinstance(error, PermissionError):
        return ImageError(f"No permission to read the image {name}.")
    return ImageError(f"The image {name} cannot be opened: {getattr(error, 'strerror', None) or error}.")


@functools.cache
def _formats():
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)  # AVIF came with Pillow 11.3


def _open_image(source, name, max_pixels, formats=None):
    try:
        image = Image.open(source, formats=formats or _formats())
    except Image.UnidentifiedImageError as error:
        if formats is None and is_heif(source):
            return _open_image(source, name, max_pixels, (require_heif(name),))
        if formats is not None:
            raise ImageError(f"The header of the image {name} is damaged.") from error
        raise ImageError(f"{name} is not an image in one of the formats {', '.join(_formats())}.") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"The image {name} is too large: {error}.") from error
    except OSError as error:
        raise _cannot_open(name, error) from error
    # Damaged headers raise many kinds of errors in the plugins: struct.error, KeyError, zlib.error, …
    except Exception as error:
        raise ImageError(f"The header of the image {name} is damaged ({error}).") from error
    width, height = image.size
    if width * height > max_pixels:
        image.close()
        raise ImageError(
            f"The image {name} has {width}×{height} pixels; at most {max_pixels / 1e6:g} million are accepted. "
            "Make it smaller."
        )
    return image


def _info(image):
    orientation = orientation_of(image)
    swaps = swaps_axes(orientation)
    width, height = image.size
    if image.format == "TIFF":  # the only format whose upright size Pillow returns
        stored_width, stored_height = (height, width) if swaps else (width, height)
    else:
        stored_width, stored_height = width, height
        width, height = (height, width) if swaps else (width, height)
    plain = orientation == 1 and image.mode in ("L", "RGB") and _tensorflow_decoder(image) is not None
    plain = plain and not has_deep_colours(image)
    return ImageInfo(width, height, stored_width, stored_height, orientation, image.mode, image.format, plain)


def _tensorflow_decoder(image):
    if image.format in ("JPEG", "MPO"):  # MPO: a JPEG followed by further ones
        return tf.io.decode_jpeg  # CMYK too: unlike Pillow it checks for Adobe's inversion
    if image.format == "PNG" and image.mode in ("L", "RGB") and "transparency" not in image.info:
        return tf.io.decode_png
    return None


def _try_decoder(decoder, data):
    try:
        return decoder(data, channels=3).numpy()  # (H, W, 3)
    except tf.errors.OpError:
        return None


def _decode_with_pillow(image, name):
    try:
        image.load()
        return to_rgb(image, name)
    except ImageError:
        raise
    # Pillow's decoders raise many kinds of errors: OSError, SyntaxError, EOFError, struct.error, …
    except Exception as error:
        raise ImageError(
            f"The image {name} is truncated or damaged and cannot be decoded ({error}). "
            "Copy it again from its origin, or remove it."
        ) from error
