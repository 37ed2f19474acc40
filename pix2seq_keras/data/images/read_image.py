"""The one way an image becomes pixels, in training, evaluation and prediction alike.

JPEG goes through TensorFlow's decoder, with which the published models were trained and scored (Pillow's
differs by up to 4 levels of 255); so does plain PNG, where it is faster. All else goes through Pillow.
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

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.rgb import from_array, to_rgb
from pix2seq_keras.errors import InputError

MAX_PIXELS = 100_000_000  # a decompression bomb of more would take 300 MB and up, in every reading thread
# Only these: Pillow's other plugins read rarities, and some start programs (EPS runs Ghostscript).
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")
_ORIENTATION_TAG = 0x0112
# Orientation -> (swap the axes, then flip top and bottom, then flip left and right): stored frame to upright.
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True)
class ImageInfo:
    """What an image's header says.

    Args:
        width: pixels across, once upright.
        height: pixels down, once upright.
        stored_width: pixels across, as the file has them.
        stored_height: pixels down, as the file has them.
        exif_orientation: 1…8; 1 is upright, 5…8 swap the axes.
        mode: Pillow's mode: "RGB", "L", "P", "CMYK", "I;16", …
        format: Pillow's format: "JPEG", "PNG", …
        plain: whether a TensorFlow image decoder alone gives the image that `read_image` gives.
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
    """An image that is about to be read.

    Args:
        name: what error messages call it.
        path: where it is, or None if it was given as bytes.
        stamp: `(path, bytes, time of the last change, inode)`, None if it was given as bytes.
        info: what its header says, where that is known from before.
        load: gives the bytes of the file.
    """

    name: str
    path: Path | None
    stamp: tuple | None
    info: ImageInfo | None
    load: Callable[[], bytes]


# Sources call `read_image` somewhere within `read`: a parameter would have to pass through every one of them.
_way: contextvars.ContextVar = contextvars.ContextVar("way of reading images", default=None)


@contextlib.contextmanager
def reading_by(way):
    """Within the block, and in this thread only, `read_image` reads files in another way: from a cache, say.

    Args:
        way: function of a `ImageFile` and of `decode`, which takes the file's bytes to its pixels or raises
            `ImageError`; it returns pixels, uint8 (H, W, 3). None is the usual way.

    Example:
        >>> with reading_by(lambda file, decode: decode(file.load())[::2, ::2]):
        ...     example = source.read(0)
    """
    token = _way.set(way)
    try:
        yield
    finally:
        _way.reset(token)


def inspect_image(image, max_pixels=MAX_PIXELS):
    """Reads an image's header, not its pixels: cheap, but an image that is cut short still passes.

    Args:
        image: path or bytes, a path, or the bytes of a file.
        max_pixels: int, the most pixels accepted. Defaults to 100 million.

    Returns:
        A `ImageInfo`.

    Raises:
        ImageError: for a file that is missing, empty, a folder, forbidden, no image, or too large.

    Example:
        >>> inspect_image("photo.jpg").width
        640
    """
    if isinstance(image, bytes | bytearray | memoryview):
        name, source = "given as bytes", io.BytesIO(bytes(image))
        if not len(image):
            raise ImageError(f"The image {name} is empty (0 bytes).")
    else:
        name, source, _ = _regular_file(image)
    image = _open_image(source, name, max_pixels)
    try:
        return _info(image)
    finally:
        image.close()


def read_image(image, name=None, max_pixels=MAX_PIXELS, info=None):
    """Reads a whole image as RGB, upright. May be called from many threads at once.

    EXIF orientation is applied, transparency is laid on white, grey becomes three equal channels, 16 bits are
    scaled to 8 and CMYK is converted; of several frames the first is taken. Colour profiles are ignored.

    Args:
        image: a path, the bytes of a file, or a uint8 array (H, W), (H, W, 1), (H, W, 3) or, with
            alpha, (H, W, 4).
        name: str or `None`, what error messages call the image. Defaults to its path.
        max_pixels: int, the most pixels accepted. Defaults to 100 million.
        info: `ImageInfo` or `None`, what `inspect_image` said of this file, if that is at hand: its header is then not
            parsed again.

    Returns:
        uint8 array `(H, W, 3)`.

    Raises:
        ImageError: if it cannot be read, or not completely: half an image is never returned.

    Example:
        >>> read_image("photo.jpg").shape
        (480, 640, 3)
    """
    if hasattr(image, "__array__"):
        return from_array(np.asarray(image))
    if isinstance(image, bytes | bytearray | memoryview):
        data = bytes(image)
        file = ImageFile(name or "given as bytes", None, None, info, lambda: data)
    else:
        path_name, path, status = _regular_file(image)
        name, stamp = name or path_name, (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
        file = ImageFile(name, path, stamp, info, lambda: _file_bytes(path, name))
    decode = lambda data: _decode(data, file.name, max_pixels, info)
    way = _way.get()
    return decode(file.load()) if way is None else way(file, decode)


def _file_bytes(path, name):
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unopened(name, error) from error


def _decode(data, name, max_pixels, info):
    if not data:
        raise ImageError(f"The image {name} is empty (0 bytes).")
    if info is not None and info.plain and info.width * info.height <= max_pixels:
        # Should the file not be what it was, this fails or gives what it is now; new EXIF and transparency apart.
        pixels = _tried(tf.io.decode_png if info.format == "PNG" else tf.io.decode_jpeg, data)
        if pixels is not None:
            return pixels
    image = _open_image(io.BytesIO(data), name, max_pixels)
    orientation = _orientation(image) if info is None else info.exif_orientation
    decoder = _tensorflow_decoder(image)
    pixels = None if decoder is None else _tried(decoder, data)
    if pixels is None:
        if image.format == "TIFF":
            orientation = 1  # Pillow turns this format itself as it loads
        pixels = _decode_with_pillow(image, name)
    return np.ascontiguousarray(_turn_pixels(pixels, orientation))  # (H, W, 3)


def exif_turn_boxes(boxes, orientation):
    """Moves boxes drawn on the image as stored to where they belong once it is upright.

    Args:
        boxes: `(n, 4)` rel_yxyx, relative to the stored frame.
        orientation: int, EXIF orientation 1…8 of the image.

    Returns:
        `(n, 4)` rel_yxyx, relative to the upright frame, in the dtype of `boxes`.
    """
    if orientation not in _TURNS:
        raise InputError(f"An EXIF orientation is 1…8. Received: {orientation!r}.")
    swap, flip_y, flip_x = _TURNS[orientation]
    ymin, xmin, ymax, xmax = np.moveaxis(np.asarray(boxes), -1, 0)  # each (n,)
    if swap:
        ymin, xmin, ymax, xmax = xmin, ymin, xmax, ymax
    if flip_y:
        ymin, ymax = 1 - ymax, 1 - ymin
    if flip_x:
        xmin, xmax = 1 - xmax, 1 - xmin
    return np.stack([ymin, xmin, ymax, xmax], axis=-1)  # (n, 4)


def _turn_pixels(pixels, orientation):
    swap, flip_y, flip_x = _TURNS[orientation]
    if swap:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def _regular_file(path):
    """The path's name for messages, the path and its status, once it is known to be a file with something in it."""
    if not isinstance(path, str | os.PathLike):
        raise ImageError(
            f"An image is given as a path, as the bytes of a file or as a uint8 array. Received: {type(path).__name__}."
        )
    name, path = repr(os.fspath(path)), Path(path)  # repr: names may hold line breaks or control characters
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(f"There is no image {name}.", kind="missing image") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the name
        raise _unopened(name, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{name} is a folder, where an image was expected.")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise ImageError(f"{name} is not a regular file, where an image was expected.")
    if status.st_size == 0:
        raise ImageError(f"The image {name} is empty (0 bytes).")
    return name, path, status


def _unopened(name, error):
    if isinstance(error, PermissionError):
        return ImageError(f"No permission to read the image {name}.")
    return ImageError(f"The image {name} cannot be opened: {getattr(error, 'strerror', None) or error}.")


@functools.cache
def _formats():
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)  # AVIF came with Pillow 11.3


def _open_image(source, name, max_pixels):
    try:
        image = Image.open(source, formats=_formats())
    except Image.UnidentifiedImageError as error:
        raise ImageError(f"{name} is not an image of a kind that can be read ({', '.join(_formats())}).") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"The image {name} is too large: {error}.") from error
    except OSError as error:
        raise _unopened(name, error) from error
    # Broken headers raise whatever the plugin stumbles over: struct.error, KeyError, zlib.error, ...
    except Exception as error:
        raise ImageError(f"The header of the image {name} is damaged ({error}).") from error
    width, height = image.size
    if width * height > max_pixels:
        image.close()
        raise ImageError(
            f"The image {name} has {width}×{height} pixels, more than the {max_pixels / 1e6:g} million "
            "accepted. Make it smaller."
        )
    return image


def _info(image):
    orientation = _orientation(image)
    swaps = _TURNS[orientation][0]
    width, height = image.size
    if image.format == "TIFF":  # the only format whose size Pillow gives upright
        stored_width, stored_height = (height, width) if swaps else (width, height)
    else:
        stored_width, stored_height = width, height
        width, height = (height, width) if swaps else (width, height)
    plain = orientation == 1 and image.mode in ("L", "RGB") and _tensorflow_decoder(image) is not None
    return ImageInfo(width, height, stored_width, stored_height, orientation, image.mode, image.format, plain)


def _orientation(image):
    try:
        # The base class reads the header; PngImageFile's own method would decode all pixels to look behind.
        orientation = Image.Image.getexif(image).get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block is no reason to lose the image; viewers ignore it too
        return 1
    return int(orientation) if orientation in _TURNS else 1


def _tensorflow_decoder(image):
    if image.format in ("JPEG", "MPO"):  # MPO: a JPEG with further ones behind it
        return tf.io.decode_jpeg  # CMYK too: unlike Pillow it looks whether Adobe's inversion was used
    if image.format == "PNG" and image.mode in ("L", "RGB") and "transparency" not in image.info:
        return tf.io.decode_png
    return None


def _tried(decoder, data):
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
    # Pillow's decoders raise many kinds: OSError, SyntaxError, EOFError, struct.error, ...
    except Exception as error:
        raise ImageError(
            f"The image {name} is cut short or damaged and cannot be decoded ({error}). "
            "Fetch it again from where it came from, or remove it."
        ) from error
