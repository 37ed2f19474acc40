"""Images in the forms that people have: paths, bytes, open files, PIL images and arrays."""

import contextlib
import os

import numpy as np
from PIL import Image

from pix2seq_keras.data.images.exif import orientation_of, upright_pixels
from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.rgb import to_rgb

FORMS = "a path, the bytes of a file, a file that is open in binary mode, a PIL image or a uint8 array"


def is_one_image(value):
    """Whether a value is one image in one of the `FORMS` but an array, and not a list of images: bool."""
    return isinstance(value, str | os.PathLike | bytes | bytearray | memoryview | Image.Image) or _is_open_file(value)


def given_image(image):
    """Brings an image to one of three forms.

    Args:
        image: what `FORMS` says. Open files are read from their beginning. PIL images are turned upright by their EXIF
            orientation.

    Returns:
        A path (str or `os.PathLike`), bytes, or an array.

    Raises:
        ImageError: if it is none of these, or cannot be read.

    Example:
        >>> given_image(io.BytesIO(data)) == data
        True
    """
    if isinstance(image, str):
        return str(image)  # np.str_ is an array too
    if isinstance(image, os.PathLike):
        return image
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if isinstance(image, Image.Image):
        return _pixels(image)
    if hasattr(image, "__array__"):
        return np.asarray(image)
    if _is_open_file(image):
        return _content(image)
    raise ImageError(f"An image must be {FORMS}. Received: {kind_of(image)}.")


def kind_of(value):
    """What messages call a value of a type that cannot be used: "a dict", "an int", "None"."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def name_of_file(file):
    """The name of an open file in messages: str."""
    name = getattr(file, "name", None)
    return repr(name) if isinstance(name, str) else f"in {kind_of(file)}"


def _is_open_file(value):
    return callable(getattr(value, "read", None)) and not isinstance(value, type)


def _content(file):
    name = name_of_file(file)
    try:
        with contextlib.suppress(AttributeError, OSError):  # a pipe has no beginning to go back to
            file.seek(0)  # what has just been written into a BytesIO is read too
        data = file.read()
    except (OSError, ValueError) as error:  # ValueError: closed, or text that is none
        raise ImageError(f"The open file {name} cannot be read as an image in binary mode: {error}.") from error
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ImageError(f"The open file {name} must give bytes. Received: {kind_of(data)}. Open it in mode 'rb'.")
    return bytes(data)


def _pixels(image):
    name = f"given as a PIL image of {image.width}×{image.height} pixels"
    try:
        image.load()
        return upright_pixels(to_rgb(image, name), orientation_of(image))
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds of errors
        raise ImageError(f"The image {name} cannot be decoded ({error}).") from error
