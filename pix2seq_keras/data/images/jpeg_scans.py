"""Counts the scans of JPEG files: each scan costs a pass over all pixels and may take only a few bytes."""

import re

MAX_SCANS = 64  # a progressive JPEG has about ten
# Colour profiles, depth maps and the like are split into segments of 64 kB; there may be some hundred.
MAX_SEGMENTS = 4096

# Second bytes of markers; the first is 0xFF.
SCAN, START, END = 0xDA, 0xD8, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # these segments hold the image's size
# Where a segment's marker can begin: 0xFF, except fill bytes and codes inside of scans.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")


def inspect_jpeg(data):
    """Walks through a JPEG from segment to segment, as a decoder does, without decoding it.

    The bytes of a scan marker also occur by chance inside other segments, and behind the image: phones append videos.

    Args:
        data: bytes, the file.

    Returns:
        `(size, problem)`: the size as stored, `(width, height)` in pixels or `None`; and a str, why the file must not
        be decoded, or `None` for a file with a usual number of scans, which may be damaged.

    Example:
        >>> inspect_jpeg(Path("photo.jpg").read_bytes())
        ((640, 480), None)
    """
    position, scans, size = 2, 0, None
    for _ in range(MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        kind = END if marker is None else data[marker.start() + 1]
        if kind in (END, START):
            return size, None
        content = marker.end()
        if kind in _FRAMES:  # length, bits, height, width
            size = _uint16(data, content + 5), _uint16(data, content + 3)
        scans += kind == SCAN
        if scans > MAX_SCANS:
            return size, f"it has more than {MAX_SCANS} scans"
        position = content + max(_uint16(data, content), 2)
    return size, f"it has more than {MAX_SEGMENTS} segments"


def _uint16(data, position):
    return int.from_bytes(data[position : position + 2], "big")
