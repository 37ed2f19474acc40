"""Reading images inside `tf.data`: by TensorFlow alone where that is enough, else through Python.

Python reads every image, with every fault an image can have, but only one thread at a time may be in it, and it
hands over copies. Plain JPEG and PNG files are therefore read and decoded by TensorFlow; where that fails, Python
has the last word. Either way the pixels are the same.
"""

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.images.read_image import reading_by
from pix2seq_keras.errors import InputError

_KEYS = ("image", "boxes", "classes", "is_crowd")
_TYPES = (tf.uint8, tf.float32, tf.int32, tf.bool)
_SHAPES = ([None, None, 3], [None, 4], [None], [None])


def python_reader(source, indices, way=None):
    """Reading any image of a source, or the next that can be read in its stead.

    Args:
        source: `Source`.
        indices: int array (count,), the images used.
        way: how their files are read, see `reading_by`; a `ImageCache`, or None for the usual way.

    Returns:
        Function of a place 0 … count − 1 that gives the image uint8 (h, w, 3), boxes float32 (n, 4), classes int32 (n,)
        and is_crowd bool (n,) as arrays. It raises `InputError` if there is no readable image; what cannot be read
        is noted in `source.issues`.
    """

    def read(place):
        for offset in range(len(indices)):
            with reading_by(way):
                example = source.read_or_report(int(indices[(int(place) + offset) % len(indices)]))
            if example is not None:
                return tuple(example[name] for name in _KEYS)
        raise InputError(
            f"Not one of the {len(indices)} images of {source.name} {source.split} that have objects can be read.\n"
            f"Found there:\n{source.issues.summary()}"
        )

    return read


def graph_reader(source, indices, way=None):
    """Reading an image in a graph, as fast as it can be done.

    Args:
        source, indices, way: see `python_reader`.

    Returns:
        Function of an int64 scalar tensor, a place 0 … count − 1, that gives a dictionary of tensors: `"image"` uint8
        (h, w, 3), `"boxes"` float32 (n, 4), `"classes"` int32 (n,), `"is_crowd"` bool (n,). It works only in the
        process that made it.
    """
    by_python = _by_python(python_reader(source, indices, way))
    plain = None if way is not None else PlainFiles.of(source, indices)
    if plain is None or not plain.count:
        return by_python
    options = tf.data.Options()  # of a data set of one element: nothing to be gained from looking at it for long
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False

    def read(place):
        # tf.data alone can carry on after an operation has failed.
        one = tf.data.Dataset.from_tensors(place)
        first = one.map(plain.read).ignore_errors(log_warning=False)
        return first.concatenate(one.map(by_python)).take(1).with_options(options).get_single_element()

    return read


def _by_python(reader):
    def read(place):
        arrays = tf.numpy_function(reader, [place], _TYPES, stateful=False)
        return {key: tf.ensure_shape(array, shape) for key, array, shape in zip(_KEYS, arrays, _SHAPES, strict=True)}

    return read


def portable_reader(source, indices):
    """Reading an image in a graph that may run in another process or on another machine, which sees the same files.

    Args:
        source, indices: see `python_reader`.

    Returns:
        Function as of `graph_reader`. A file that cannot be decoded ends the reading.

    Raises:
        InputError: some images need Python to be read, or the source does not read files.
    """
    plain = PlainFiles.of(source, indices)
    if plain is None or plain.count < len(indices):
        what = "hands on records" if plain is None else f"has {len(indices) - plain.count} images that"
        needs = "" if plain is None else " are turned by EXIF, transparent, or neither JPEG nor PNG"
        raise InputError(
            f"A data service reads plain JPEG and PNG files; {source.name} ({source.split}) {what}{needs}. Write them "
            "as such with `pix2seq data convert`, or train without data.service."
        )
    return plain.read


class PlainFiles:
    """Images that TensorFlow's decoders read as `read_image` does, and the objects of all images, as tables.

    Args:
        paths: list of str, "" for images that are not such.
        pngs: list of bool.
        objects: list of `(boxes (n, 4), classes (n,), is_crowd (n,))`.
    """

    def __init__(self, paths, pngs, objects):
        self.count = sum(map(bool, paths))
        self._paths, self._pngs = tf.constant(paths), tf.constant(pngs)
        self._ends = tf.constant(np.cumsum([len(classes) for _, classes, _ in objects]), tf.int64)
        columns = zip(*objects, strict=True)
        self._objects = [
            tf.constant(np.concatenate(column), kind) for column, kind in zip(columns, _TYPES[1:], strict=True)
        ]

    @classmethod
    def of(cls, source, indices):
        """The tables of some images of a source, or None if it does not read from files."""
        paths, pngs, objects = [], [], []
        for file, example in looks(source, indices):
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
        """int64 scalar tensor -> dictionary of tensors, see `graph_reader`; an operation fails if the file is bad."""
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


def looks(source, indices):
    """What reading images begins with, their pixels left out.

    Args:
        source: `Source`.
        indices: int array.

    Yields:
        For each index `(file, example)`: a `ImageFile`, None where the source does not read just one; and the
        example with an image of one pixel, None where the file is not there.
    """
    nothing = np.zeros((1, 1, 3), np.uint8)
    found = []

    def note(file, decode):
        found.append(file)
        return nothing

    for index in indices:
        found.clear()
        try:
            with reading_by(note):
                example = source.read(int(index))
        except ImageError:
            example = None
        yield (found[0] if len(found) == 1 else None), example
