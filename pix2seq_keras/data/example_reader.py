"""Reads examples inside `tf.data`: with TensorFlow alone where that is enough, else through Python.

Python can read every image and handles every defect, but only one thread runs in it at a time, and it copies the
pixels. So TensorFlow reads and decodes plain JPEG and PNG files; if that fails, Python reads the image instead. The
pixels are the same either way.
"""

import os

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.read_image import use_image_reader
from pix2seq_keras.errors import InputError

_KEYS = ("image", "boxes", "classes", "is_crowd")
_TYPES = (tf.uint8, tf.float32, tf.int32, tf.bool)
_SHAPES = ([None, None, 3], [None, 4], [None], [None])


def python_reader(source, indices, image_reader=None):
    """Makes a Python function that reads examples of a source.

    Args:
        source: `Source`.
        indices: int array (count,), the images used.
        image_reader: how image files are read, see `use_image_reader`; an `ImageCache`, or None for the default.

    Returns:
        Function of a place 0 … count − 1 that returns the image uint8 (h, w, 3), boxes float32 (n, 4), classes int32
        (n,) and is_crowd bool (n,) as arrays. If the image cannot be read, the function reads the next one instead and
        adds an issue to `source.issues`. It raises `InputError` if no image can be read.
    """

    def read(place):
        for offset in range(len(indices)):
            with use_image_reader(image_reader):
                example = source.read_or_report(int(indices[(int(place) + offset) % len(indices)]))
            if example is not None:
                return tuple(example[name] for name in _KEYS)
        raise InputError(
            f"None of the {len(indices)} images with objects of {source.name} ({source.split}) can be read.\n"
            f"Issues:\n{source.issues.summary()}"
        )

    return read


def graph_reader(source, indices, image_reader=None):
    """Makes a graph function that reads examples of a source as fast as possible.

    Args:
        source: `Source`.
        indices: int array (count,), the images used.
        image_reader: how image files are read, see `python_reader`. Defaults to None.

    Returns:
        Function of an int64 scalar tensor, a place 0 … count − 1, that returns a dict of tensors: `"image"` uint8
        (h, w, 3), `"boxes"` float32 (n, 4), `"classes"` int32 (n,), `"is_crowd"` bool (n,). It works only in the
        process that made it.
    """
    by_python = _through_python(python_reader(source, indices, image_reader))
    plain = None if image_reader is not None else PlainFiles.from_source(source, indices)
    if plain is None or not plain.count:
        return by_python
    options = tf.data.Options()  # for a data set of one element, optimisation costs more than it gains
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False

    def read(place):
        # Only tf.data can continue after an operation has failed.
        one = tf.data.Dataset.from_tensors(place)
        first = one.map(plain.read).ignore_errors(log_warning=False)
        return first.concatenate(one.map(by_python)).take(1).with_options(options).get_single_element()

    return read


def _through_python(reader):
    def read(place):
        arrays = tf.numpy_function(reader, [place], _TYPES, stateful=False)
        return {key: tf.ensure_shape(array, shape) for key, array, shape in zip(_KEYS, arrays, _SHAPES, strict=True)}

    return read


def portable_reader(source, indices):
    """Makes a graph function that may run in another process or on another machine, if that has the same files.

    Args:
        source: `Source`.
        indices: int array (count,), the images used.

    Returns:
        Function like that of `graph_reader`. It fails at a file that cannot be decoded.

    Raises:
        InputError: if some images need Python to be read, or the source does not read files.
    """
    plain = PlainFiles.from_source(source, indices)
    if plain is None or plain.count < len(indices):
        what = "keeps its images in records"
        if plain is not None:
            what = (
                f"has {len(indices) - plain.count} images that are rotated by EXIF, transparent, or of another format"
            )
        raise InputError(
            f"`data.service` requires plain JPEG and PNG files. Received: {source.name} ({source.split}), which "
            f"{what}. Write such files with `pix2seq data convert`, or train without `data.service`."
        )
    return plain.read


class PlainFiles:
    """Images that TensorFlow's decoders read exactly as `read_image` does, and the objects of all images, as tables.

    Args:
        paths: list of str, "" for images that need Python. They need not be valid Unicode, see `os.fsencode`.
        pngs: list of bool, whether a file is PNG; otherwise it is JPEG.
        objects: list of `(boxes (n, 4), classes (n,), is_crowd (n,))`.
    """

    def __init__(self, paths, pngs, objects):
        self.count = sum(map(bool, paths))
        # Names from archives of Windows are no UTF-8, and TensorFlow's own encoding of strings would fail.
        self._paths, self._pngs = tf.constant([os.fsencode(path) for path in paths], tf.string), tf.constant(pngs)
        self._ends = tf.constant(np.cumsum([len(classes) for _, classes, _ in objects]), tf.int64)
        columns = zip(*objects, strict=True)
        self._objects = [
            tf.constant(np.concatenate(column), kind) for column, kind in zip(columns, _TYPES[1:], strict=True)
        ]

    @classmethod
    def from_source(cls, source, indices):
        """Makes the tables for some images of a source.

        Args:
            source: `Source`.
            indices: int array (count,), the images used.

        Returns:
            `PlainFiles`, or None if the source does not read one file for each image.
        """
        paths, pngs, objects = [], [], []
        for file, example in examples_without_pixels(source, indices):
            if example is None:
                paths.append("")
                pngs.append(False)
                objects.append((np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool)))
                continue
            if file is None or file.path is None:
                return None
            plain = file.info is not None and file.info.plain
            paths.append(str(file.path) if plain else "")
            pngs.append(plain and file.info.format == "PNG")
            objects.append(tuple(example[key] for key in _KEYS[1:]))
        return cls(paths, pngs, objects)

    def read(self, place):
        """Reads an example in a graph; an operation fails if the file cannot be decoded.

        Args:
            place: int64 scalar tensor, 0 … count − 1.

        Returns:
            dict of tensors, see `graph_reader`.
        """
        data = tf.io.read_file(self._paths[place])
        image = tf.cond(
            self._pngs[place],
            lambda: tf.io.decode_png(data, channels=3),
            lambda: tf.io.decode_jpeg(data, channels=3),
        )
        end = self._ends[place]
        start = tf.where(place > 0, self._ends[tf.maximum(place - 1, 0)], 0)
        values = (image, *(column[start:end] for column in self._objects))
        return {key: tf.ensure_shape(value, shape) for key, value, shape in zip(_KEYS, values, _SHAPES, strict=True)}


def examples_without_pixels(source, indices):
    """Reads examples without decoding their images, and notes which file each image comes from.

    Args:
        source: `Source`.
        indices: int array (count,).

    Yields:
        For each index `(file, example)`: an `ImageFile`, None if the source does not read exactly one file; and the
        example with an image of one pixel, None if the file is missing.
    """
    one_pixel = np.zeros((1, 1, 3), np.uint8)
    files = []

    def note(file, decode):
        files.append(file)
        return one_pixel

    for index in indices:
        files.clear()
        try:
            with use_image_reader(note):
                example = source.read(int(index))
        except ImageError:
            example = None
        yield (files[0] if len(files) == 1 else None), example
