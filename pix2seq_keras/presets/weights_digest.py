"""SHA-256 of weights: of a file, and of the arrays in a `.weights.h5` file, which carries its own.

HDF5 has no check sums: a changed byte among the numbers would load as other numbers.
"""

import hashlib
from pathlib import Path

import h5py
import numpy as np

DIGEST = "weights_sha256"  # of the file, in a preset's configuration; of the arrays, an attribute of `.weights.h5`


def file_digest(path):
    """The SHA-256 of a file: str of 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(path):
    """Writes the SHA-256 of its arrays into a `.weights.h5` file.

    Args:
        path: path of the file.

    Example:
        >>> model.save_weights("cells.weights.h5")  # calls it
    """
    with h5py.File(path, "r+") as file:
        file.attrs[DIGEST] = _digest(file)


def check_seal(path):
    """Checks the arrays of a `.weights.h5` file against the SHA-256 in it. Files without one pass.

    Args:
        path: path of the file.

    Raises:
        ValueError: if an array is not what was written.
        OSError: if the file is no HDF5.
    """
    with h5py.File(path) as file:
        stored = file.attrs.get(DIGEST)
        if stored is not None and stored != _digest(file):
            raise ValueError("the SHA-256 of its arrays is not the one that was written")


def _digest(file):
    """The SHA-256 of the names, types, shapes and numbers of all arrays, in the order of the names."""
    arrays = []
    file.visititems(lambda name, item: arrays.append(name) if isinstance(item, h5py.Dataset) else None)
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(file[name][()])
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(values.reshape(-1).view(np.uint8))
    return digest.hexdigest()
