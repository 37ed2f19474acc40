"""What an index keeps of an image: where it is, what its header says, and in which frame its boxes are drawn."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.data.images.read_image import ImageInfo
from pix2seq_keras.data.sources.showing import shown

_OPENERS = 16  # waiting for a disk or a network, hardly computing
_SAME_ASPECT = 0.01
_LONGEST_SIDE = 2**31  # pixels
_SWAPS_AXES = (5, 6, 7, 8)


@dataclass(frozen=True)
class IndexedImage:
    """A usable image.

    Args:
        image_id: the data set's own id, or the image's place in the whole split, counted from 1.
        file_name: as the data set has it.
        path: where it is, resolved.
        info: what its header says; it is read when the source is indexed and not again.
        frame_width: width of the frame the boxes are drawn in, in the annotation file's pixels.
        frame_height: height of that frame.
        turn: EXIF orientation by which the boxes must be turned to be upright; 1 where they already are.
    """

    image_id: int
    file_name: str
    path: Path
    info: ImageInfo
    frame_width: float
    frame_height: float
    turn: int


def look_at_all(look, things):
    """Calls `look` on every thing, many at once, as is right for opening files.

    Args:
        look: function of one thing; what it raises ends the whole.
        things: `Iterable`, what to look at.

    Returns:
        What `look` returned, in the order of the things.
    """
    with ThreadPoolExecutor(_OPENERS, thread_name_prefix="pix2seq-header") as openers:
        return list(openers.map(look, things))


def choose_frame(info, width, height):
    """Decides in which frame an image's boxes were drawn.

    Viewers and labelling tools show images upright, so that is taken unless the annotation file gives the
    size the image has before it is turned.

    Args:
        info: `ImageInfo`, what the image's header says.
        width: what the annotation file says, possibly None or nonsense.
        height: likewise.

    Returns:
        `(frame width, frame height, EXIF orientation to turn boxes by, issue)`, where the issue is
        None or `(kind, message)`.
    """
    upright, stored = (info.width, info.height), (info.stored_width, info.stored_height)
    turned = None
    if info.exif_orientation != 1:
        turned = (
            "rotated by EXIF",
            f"EXIF orientation {info.exif_orientation}; its boxes are taken as drawn on the upright image.",
        )
    if width is None and height is None:
        return *upright, 1, turned
    if not (_is_length(width) and _is_length(height)):
        message = (
            f"the size {shown(width, 40)}×{shown(height, 40)} is no size; the file's {upright[0]}×{upright[1]} is used."
        )
        return *upright, 1, ("unexpected image size", message)
    said = (width, height)
    if said == upright:
        return *upright, 1, turned
    swaps = info.exif_orientation in _SWAPS_AXES
    turned_along = (
        "rotated by EXIF",
        f"EXIF orientation {info.exif_orientation}; its boxes were drawn before and are turned along.",
    )
    if swaps and said == stored:
        return *said, info.exif_orientation, turned_along
    difference = f"said to be {width}×{height}, the file has {upright[0]}×{upright[1]}"
    if _aspects_agree(said, upright):
        return *said, 1, ("resized image", f"{difference}: resized, its boxes are scaled along.")
    if swaps and _aspects_agree(said, stored):
        message = f"{difference} after turning: resized, its boxes are scaled and turned along."
        return *said, info.exif_orientation, ("resized image", message)
    message = f"{difference}, another shape; boxes are taken as pixels of the file."
    return *upright, 1, ("unexpected image size", message)


def _is_length(value):
    return type(value) in (int, float) and 1 <= value <= _LONGEST_SIDE


def _aspects_agree(one, other):
    return abs((one[0] * other[1]) / (one[1] * other[0]) - 1) <= _SAME_ASPECT
