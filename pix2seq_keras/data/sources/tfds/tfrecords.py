"""TFRecord files read at any index: most TFDS data sets on people's disks are kept in them."""

import os
import struct
from collections.abc import Sequence

from pix2seq_keras.errors import InputError

_HEADER = struct.Struct("<QI")  # length of the data, and a checksum of that length
_FOOTER_BYTES = 4  # a checksum of the data


class TFRecords(Sequence):
    """The records of some TFRecord files, one file after the other.

    A TFRecord file has no table of contents. Opening one therefore hops from header to header, which reads 12
    bytes a record. Checksums are not verified. Safe to share between threads.

    Args:
        parts: `(path, skip, take)` per file: leave out the first `skip` records, keep the next `take`.

    Raises:
        InputError: A file is cut short or is no uncompressed TFRecord file.
    """

    def __init__(self, parts):
        self._places: list[tuple[str, int, int]] = []  # path, offset, bytes
        for path, skip, take in parts:
            places = _find_records(path, skip + take)
            self._places.extend((path, offset, length) for offset, length in places[skip:])

    def __len__(self):
        return len(self._places)

    def __getitem__(self, index):
        path, offset, length = self._places[index]
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)

    def __getitems__(self, indices):
        """Several records at once; the name under which ArrayRecord offers it too."""
        return [self[index] for index in indices]


def _find_records(path, count):
    """Offset and length of the first `count` records' data."""
    places, position = [], 0
    with open(path, "rb") as file:  # noqa: PTH123
        size = os.fstat(file.fileno()).st_size
        while len(places) < count:
            header = os.pread(file.fileno(), _HEADER.size, position)
            start = position + _HEADER.size
            length = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else size
            position = start + length + _FOOTER_BYTES
            if position > size:
                raise InputError(
                    f"{path} is cut short, or is no uncompressed TFRecord file: it should hold {count} "
                    f"records, but only {len(places)} are complete. Prepare the data set again."
                )
            places.append((start, length))
    return places
