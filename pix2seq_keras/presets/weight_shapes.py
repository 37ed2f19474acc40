"""The shapes of the arrays in a file of weights, before a model is made that could be larger than they are."""

import h5py

from pix2seq_keras.errors import InputError

PARTS = ("encoder", "bridge", "embedding", "decoder")
# Weights hardly compress: a file that states much more than it has would fill the memory.
MOST_UNPACKED = 20


class WeightsError(InputError):
    """A file does not hold the weights of a model."""


def shapes_in_file(file, size):
    """Reads the shapes of a model's weights; optimizer state and what else is in the file is passed over.

    Args:
        file: `h5py.File` of a model's weights, as Keras writes them.
        size: int, bytes of the file on disk.

    Returns:
        dict of part of the model to a sorted list of shapes.

    Raises:
        WeightsError: if the file has no such parts, or states arrays that it does not have.
    """
    shapes, total = {}, 0
    for part in PARTS:
        shapes[part] = []
        if not isinstance(file.get(part, getlink=True), h5py.HardLink):  # others may lead to another file
            raise WeightsError(f"it has no {part}")
        for array in _arrays(file[part]):
            if array.external or array.is_virtual:
                raise WeightsError(f"{array.name} in it is kept in another file")
            shapes[part].append(array.shape)
            total += array.nbytes
    if total > MOST_UNPACKED * size:
        raise WeightsError(f"it states {total:,} bytes of weights, and has {size:,}")
    return {part: sorted(found) for part, found in shapes.items()}


def require_equal_shapes(model, shapes):
    """Checks that a model has exactly the arrays of a file: Keras passes over extra ones.

    Args:
        model: `Pix2Seq`.
        shapes: dict, of `shapes_in_file`.

    Raises:
        WeightsError: naming the first part that differs.
    """
    for part, found in shapes.items():
        wanted = sorted(tuple(weight.shape) for weight in getattr(model, part).weights)
        if len(found) != len(wanted):
            raise WeightsError(f"its {part} has {len(found)} arrays, the model's {len(wanted)}")
        for one, other in zip(found, wanted, strict=True):
            if one != other:
                raise WeightsError(f"its {part} has an array of shape {one}, the model's has {other}")


def _arrays(group):
    arrays = []
    group.visititems(lambda _, item: arrays.append(item) if isinstance(item, h5py.Dataset) else None)
    return arrays
