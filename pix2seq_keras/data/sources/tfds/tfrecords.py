"""Random access to TFRecord files, the format of most prepared TFDS data sets."""

import os
import struct
from collections.abc import Sequence

from pix2seq_keras.errors import InputError

_HEADER = struct.Struct("<QI")  # length of the data, and a checksum of that length
_FOOTER_BYTES = 4  # a checksum of the data


class TFRecords(Sequence):
    """The records of some TFRecord files, one file after the other. Threads may share an instance.

    A TFRecord file has no index, so all headers are read first, 12 bytes per record. Checksums are not verified.

    Args:
        parts: iterable of `(path, skip, take)`, one per file: leave out the first `skip` records, take the next `take`.

    Raises:
        InputError: if a file is truncated or is not an uncompressed TFRecord file.
    """

    def __init__(self, parts):
        self._places = []  # (path, offset, length in bytes)
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
        """Reads several records; ArrayRecord has this method too.

        Args:
            indices: iterable of int.

        Returns:
            List of bytes.
        """
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
                    f"{path} is truncated, or is not an uncompressed TFRecord file: it should have {count} records, "
                    f"but only {len(places)} are complete. Prepare the data set again."
                )
            places.append((start, length))
    return places
