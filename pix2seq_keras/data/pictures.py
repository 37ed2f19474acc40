"""The one way a picture becomes pixels, in training, evaluation and prediction alike.

JPEG goes through TensorFlow's decoder, with which the published models were trained and scored (Pillow's
differs by up to 4 levels of 255); so does plain PNG, where it is faster. All else goes through Pillow.
"""

import functools
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

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


class PictureError(InputError):
    """A picture that cannot be used; the message names the file and says why.

    Args:
        message: the sentence.
        kind: the kind `Findings` gets: "missing picture", "unreadable picture", …
    """

    def __init__(self, message: str, kind: str = "unreadable picture"):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class PictureInfo:
    """What a picture's header says.

    Args:
        width: pixels across, once upright.
        height: pixels down, once upright.
        stored_width: pixels across, as the file has them.
        stored_height: pixels down, as the file has them.
        exif_orientation: 1…8; 1 is upright, 5…8 swap the axes.
        mode: Pillow's mode: "RGB", "L", "P", "CMYK", "I;16", …
        format: Pillow's format: "JPEG", "PNG", …
        plain: whether a TensorFlow image decoder alone gives the picture that `read_picture` gives.
    """

    width: int
    height: int
    stored_width: int
    stored_height: int
    exif_orientation: int
    mode: str
    format: str
    plain: bool


def inspect_picture(picture: str | os.PathLike | bytes, max_pixels: int = MAX_PIXELS) -> PictureInfo:
    """Reads a picture's header, not its pixels: cheap, but a picture that is cut short still passes.

    Args:
        picture: a path, or the bytes of a file.
        max_pixels: the most pixels accepted. Defaults to 100 million.

    Returns:
        A `PictureInfo`.

    Raises:
        PictureError: for a file that is missing, empty, a folder, forbidden, no picture, or too large.

    Example:
        >>> inspect_picture("photo.jpg").width
        640
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        name, source = "given as bytes", io.BytesIO(bytes(picture))
        if not len(picture):
            raise PictureError(f"The picture {name} is empty (0 bytes).")
    else:
        name, source = _regular_file(picture)
    image = _open_image(source, name, max_pixels)
    try:
        return _info(image)
    finally:
        image.close()


def read_picture(picture, name: str | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Reads a whole picture as RGB, upright. May be called from many threads at once.

    EXIF orientation is applied, transparency is laid on white, grey becomes three equal channels, 16 bits are
    scaled to 8 and CMYK is converted; of several frames the first is taken. Colour profiles are ignored.

    Args:
        picture: a path, the bytes of a file, or a uint8 array (H, W), (H, W, 1), (H, W, 3) or, with
            alpha, (H, W, 4).
        name: what error messages call the picture. Defaults to its path.
        max_pixels: the most pixels accepted. Defaults to 100 million.

    Returns:
        uint8 array `(H, W, 3)`.

    Raises:
        PictureError: if it cannot be read, or not completely: half a picture is never returned.

    Example:
        >>> read_picture("photo.jpg").shape
        (480, 640, 3)
    """
    if hasattr(picture, "__array__"):
        return _from_array(np.asarray(picture))
    if isinstance(picture, bytes | bytearray | memoryview):
        data, name = bytes(picture), name or "given as bytes"
    else:
        path_name, path = _regular_file(picture)
        name = name or path_name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _unopened(name, error) from error
    if not data:
        raise PictureError(f"The picture {name} is empty (0 bytes).")
    image = _open_image(io.BytesIO(data), name, max_pixels)
    orientation = _orientation(image)
    pixels = _decode_with_tensorflow(image, data)
    if pixels is None:
        if image.format == "TIFF":
            orientation = 1  # Pillow turns this format itself as it loads
        pixels = _decode_with_pillow(image, name)
    return np.ascontiguousarray(_turn_pixels(pixels, orientation))  # (H, W, 3)


def exif_turn_boxes(boxes: np.ndarray, orientation: int) -> np.ndarray:
    """Moves boxes drawn on the picture as stored to where they belong once it is upright.

    Args:
        boxes: `(n, 4)` rel_yxyx, relative to the stored frame.
        orientation: EXIF orientation 1…8 of the picture.

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


def _turn_pixels(pixels: np.ndarray, orientation: int) -> np.ndarray:
    swap, flip_y, flip_x = _TURNS[orientation]
    if swap:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def _regular_file(path) -> tuple[str, Path]:
    """The path's name for messages, and the path, once it is known to be a file with something in it."""
    if not isinstance(path, str | os.PathLike):
        raise PictureError(
            "A picture is given as a path, as the bytes of a file or as a uint8 array. "
            f"Received: {type(path).__name__}."
        )
    name, path = repr(os.fspath(path)), Path(path)  # repr: names may hold line breaks or control characters
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureError(f"There is no picture {name}.", kind="missing picture") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the name
        raise _unopened(name, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError(f"{name} is a folder, where a picture was expected.")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise PictureError(f"{name} is not a regular file, where a picture was expected.")
    if status.st_size == 0:
        raise PictureError(f"The picture {name} is empty (0 bytes).")
    return name, path


def _unopened(name: str, error: Exception) -> PictureError:
    if isinstance(error, PermissionError):
        return PictureError(f"No permission to read the picture {name}.")
    return PictureError(f"The picture {name} cannot be opened: {getattr(error, 'strerror', None) or error}.")


@functools.cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)  # AVIF came with Pillow 11.3


def _open_image(source, name: str, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(source, formats=_formats())
    except Image.UnidentifiedImageError as error:
        raise PictureError(f"{name} is not a picture of a kind that can be read ({', '.join(_formats())}).") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"The picture {name} is too large: {error}.") from error
    except OSError as error:
        raise _unopened(name, error) from error
    # Broken headers raise whatever the plugin stumbles over: struct.error, KeyError, zlib.error, ...
    except Exception as error:
        raise PictureError(f"The header of the picture {name} is damaged ({error}).") from error
    width, height = image.size
    if width * height > max_pixels:
        image.close()
        raise PictureError(
            f"The picture {name} has {width}×{height} pixels, more than the {max_pixels / 1e6:g} million "
            "accepted. Make it smaller."
        )
    return image


def _info(image: Image.Image) -> PictureInfo:
    orientation = _orientation(image)
    swaps = _TURNS[orientation][0]
    width, height = image.size
    if image.format == "TIFF":  # the only format whose size Pillow gives upright
        stored_width, stored_height = (height, width) if swaps else (width, height)
    else:
        stored_width, stored_height = width, height
        width, height = (height, width) if swaps else (width, height)
    plain = orientation == 1 and image.mode in ("L", "RGB") and _tensorflow_decoder(image) is not None
    return PictureInfo(width, height, stored_width, stored_height, orientation, image.mode, image.format, plain)


def _orientation(image: Image.Image) -> int:
    try:
        # The base class reads the header; PngImageFile's own method would decode all pixels to look behind.
        orientation = Image.Image.getexif(image).get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block is no reason to lose the picture; viewers ignore it too
        return 1
    return int(orientation) if orientation in _TURNS else 1


def _tensorflow_decoder(image: Image.Image):
    if image.format in ("JPEG", "MPO"):  # MPO: a JPEG with further ones behind it
        return tf.io.decode_jpeg  # CMYK too: unlike Pillow it looks whether Adobe's inversion was used
    if image.format == "PNG" and image.mode in ("L", "RGB") and "transparency" not in image.info:
        return tf.io.decode_png
    return None


def _decode_with_tensorflow(image: Image.Image, data: bytes) -> np.ndarray | None:
    decoder = _tensorflow_decoder(image)
    if decoder is None:
        return None
    try:
        return decoder(data, channels=3).numpy()  # (H, W, 3)
    except tf.errors.OpError:
        return None


def _decode_with_pillow(image: Image.Image, name: str) -> np.ndarray:
    try:
        image.load()
        return _to_rgb(image, name)
    except PictureError:
        raise
    # Pillow's decoders raise many kinds: OSError, SyntaxError, EOFError, struct.error, ...
    except Exception as error:
        raise PictureError(
            f"The picture {name} is cut short or damaged and cannot be decoded ({error}). "
            "Fetch it again from where it came from, or remove it."
        ) from error


def _to_rgb(image: Image.Image, name: str) -> np.ndarray:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        grey16 = np.asarray(image).astype(np.int64)
        grey = ((grey16 + 128) // 257).astype(np.uint8)  # 65535 = 255 · 257
        if image.info.get("transparency") is not None:
            grey[grey16 == image.info["transparency"]] = 255
        return np.repeat(grey[..., None], 3, axis=-1)  # (H, W, 3)
    if image.mode in ("I", "F"):
        raise PictureError(
            f"The picture {name} holds 32-bit numbers (Pillow mode {image.mode!r}), which have no fixed "
            "white. Convert it to 8 or 16 bits."
        )
    if image.has_transparency_data:
        return _on_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _on_white(rgba: np.ndarray) -> np.ndarray:
    alpha = rgba[..., 3:].astype(np.uint32)  # (H, W, 1)
    # uint32 sums to at most 255 · 255; + 127 rounds to nearest.
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8:
        raise PictureError(
            "A picture given as an array must be uint8, 0…255. "
            f"Received: dtype {array.dtype}, shape {array.shape}. Floats in [0, 1] become one with "
            "(255 * array).round().astype('uint8')."
        )
    channels = {2: 1, 3: array.shape[-1] if array.ndim == 3 else 0}.get(array.ndim, 0)
    if channels not in (1, 3, 4) or not array.size:
        raise PictureError(
            "A picture given as an array must have the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
            f"Received: shape {array.shape}."
        )
    if channels == 1:
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=-1)
    elif channels == 4:
        array = _on_white(array)
    return np.ascontiguousarray(array)  # (H, W, 3)
