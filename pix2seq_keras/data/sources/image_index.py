"""The index entry of an image: its path, its header, and the frame in which its boxes are drawn."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.data.images.exif import swaps_axes
from pix2seq_keras.data.images.read_image import ImageInfo
from pix2seq_keras.data.sources.short_repr import short_repr

_THREADS = 16  # they wait for a disk or a network and compute little
_ASPECT_TOLERANCE = 0.01
_MAX_SIDE = 2**31  # pixels


@dataclass(frozen=True)
class IndexedImage:
    """A usable image.

    Args:
        image_id: int, the data set's own id, or the image's place in the whole split, counted from 1.
        file_name: str, its name in the data set.
        path: `Path`, resolved.
        info: `ImageInfo`, its header, which is read when the source is indexed and not again.
        frame_width: float, width of the frame the boxes are drawn in, in the annotation file's pixels.
        frame_height: float, height of that frame.
        box_orientation: int, the EXIF orientation of the frame the boxes are drawn in; 1 if it is upright.
        frame_issue: tuple of str, the kind, place and message of an issue with that frame, which is not final before
            the boxes are known. Defaults to None: there is none.
    """

    image_id: int
    file_name: str
    path: Path
    info: ImageInfo
    frame_width: float
    frame_height: float
    box_orientation: int
    frame_issue: tuple[str, str, str] | None = None


def map_in_threads(function, items):
    """Calls a function that opens files for many items at the same time.

    Args:
        function: function of one item; an error that it raises ends the call.
        items: iterable.

    Returns:
        List of the results, in the order of the items.
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="pix2seq-header") as threads:
        return list(threads.map(function, items))


def choose_frame(info, width, height):
    """Decides in which frame the boxes of an image were drawn.

    Viewers and labelling tools show images upright, so this is the upright image, unless the annotation file has the
    size of the image as stored.

    Args:
        info: `ImageInfo`, the image's header.
        width: the width in the annotation file; it may be None or invalid.
        height: the height in the annotation file; it may be None or invalid.

    Returns:
        `(frame_width, frame_height, box_orientation, issue)`, the first three as in `IndexedImage`; the issue is None
        or `(kind, message)`.
    """
    upright, stored = (info.width, info.height), (info.stored_width, info.stored_height)
    rotated = None
    if info.exif_orientation != 1:
        rotated = (
            "rotated by EXIF",
            f"EXIF orientation {info.exif_orientation}; its boxes are assumed to be drawn on the upright image.",
        )
    if width is None and height is None:
        return *upright, 1, rotated
    if not (_is_length(width) and _is_length(height)):
        message = (
            f"the size {short_repr(width, 40)}×{short_repr(height, 40)} is invalid; the file's size "
            f"{upright[0]}×{upright[1]} is used."
        )
        return *upright, 1, ("unexpected image size", message)
    declared = (width, height)
    if declared == upright:
        return *upright, 1, rotated
    swaps = swaps_axes(info.exif_orientation)
    drawn_on_stored = (
        "rotated by EXIF",
        f"EXIF orientation {info.exif_orientation}; its boxes were drawn on the image as stored and are rotated too.",
    )
    if swaps and declared == stored:
        return *declared, info.exif_orientation, drawn_on_stored
    difference = f"its record has {width}×{height}, the file has {upright[0]}×{upright[1]}"
    if _same_aspect(declared, upright):
        return *declared, 1, ("resized image", f"{difference}: its boxes are scaled too.")
    if swaps and _same_aspect(declared, stored):
        message = f"{difference} when upright: its boxes are scaled and rotated too."
        return *declared, info.exif_orientation, ("resized image", message)
    message = f"{difference}, another aspect ratio; boxes are assumed to be pixels of the file."
    return *upright, 1, ("unexpected image size", message)


def _is_length(value):
    return type(value) in (int, float) and 1 <= value <= _MAX_SIDE


def _same_aspect(one, other):
    return abs((one[0] * other[1]) / (one[1] * other[0]) - 1) <= _ASPECT_TOLERANCE
