"""The `"images"` of a COCO file: which of them can be used, and in which frame their boxes are drawn."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pix2seq_keras.data.findings import Findings
from pix2seq_keras.data.pictures import PictureError, PictureInfo, inspect_picture
from pix2seq_keras.data.sources.folder import picture_inside

_OPENERS = 16  # waiting for a disk or a network, hardly computing
_SAME_ASPECT = 0.01
_SWAPS_AXES = (5, 6, 7, 8)


@dataclass(frozen=True)
class CocoPicture:
    """A usable picture.

    Args:
        image_id: the file's own id.
        file_name: as the annotation file has it.
        path: where it is, resolved.
        width: pixels across, upright.
        height: pixels down, upright.
        frame_width: width of the frame the boxes are drawn in, in the annotation file's pixels.
        frame_height: height of that frame.
        turn: EXIF orientation by which the boxes must be turned to be upright; 1 where they already are.
    """

    image_id: int
    file_name: str
    path: Path
    width: int
    height: int
    frame_width: float
    frame_height: float
    turn: int


def is_record_id(value) -> bool:
    """Whether a JSON value can be an id: an integer that fits 64 bits (`true` and 3.0 are not)."""
    return type(value) is int and -(2**63) <= value < 2**63


def check_pictures(records: Sequence, folder: Path, findings: Findings) -> tuple[list[CocoPicture], frozenset[int]]:
    """Checks all image records and the headers of their files.

    Args:
        records: the `"images"` list, of which anything may be wrong.
        folder: the resolved folder of the pictures.
        findings: is told of every record that is left out or in doubt.

    Returns:
        The usable pictures in the file's order, and the ids of all image records, usable or not.
    """
    named: dict[int, tuple[str, str, dict]] = {}  # id -> (where, file name, record)
    for position, record in enumerate(records):
        where = f"images[{position}]"
        if not isinstance(record, dict):
            findings.add("unusable image record", where, f"{where} is {record!r:.80}, not a dictionary.")
            continue
        image_id, file_name = record.get("id"), record.get("file_name")
        where = f"{where} (id {image_id!r:.40}, {file_name!r:.80})"
        if not is_record_id(image_id):
            findings.add("unusable image record", where, f'{where}: "id" must be an integer of 64 bits.')
        elif image_id in named:
            findings.add("duplicate image id", where, f"{where}: {named[image_id][0]} has this id already; it is kept.")
        else:
            named[image_id] = (where, file_name, record)

    def look(file_name):
        try:
            if not isinstance(file_name, str):
                raise PictureError('"file_name" must be a string.', kind="unusable image record")
            path = picture_inside(folder, file_name)
            return path, inspect_picture(path)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(_OPENERS, thread_name_prefix="pix2seq-header") as openers:
        looks = list(openers.map(look, [file_name for _, file_name, _ in named.values()]))

    pictures = []
    for (image_id, (where, file_name, record)), seen in zip(named.items(), looks, strict=True):
        if isinstance(seen, PictureError):
            findings.add(seen.kind, where, f"{where}: {seen} The picture is left out.")
            continue
        path, info = seen
        width, height, turn, finding = choose_frame(info, record.get("width"), record.get("height"))
        if finding is not None:
            findings.add(finding[0], where, f"{where}: {finding[1]}")
        pictures.append(CocoPicture(image_id, file_name, path, info.width, info.height, width, height, turn))
    return pictures, frozenset(named)


def choose_frame(info: PictureInfo, width, height) -> tuple[float, float, int, tuple[str, str] | None]:
    """Decides in which frame a picture's boxes were drawn.

    Viewers and labelling tools show pictures upright, so that is taken unless the annotation file gives the
    size the picture has before it is turned.

    Args:
        info: what the picture's header says.
        width: what the annotation file says, possibly None or nonsense.
        height: likewise.

    Returns:
        `(frame width, frame height, EXIF orientation to turn boxes by, finding)`, where the finding is
        None or `(kind, message)`.
    """
    upright, stored = (info.width, info.height), (info.stored_width, info.stored_height)
    turned = None
    if info.exif_orientation != 1:
        turned = (
            "turned by EXIF",
            f"EXIF orientation {info.exif_orientation}; its boxes are taken as drawn on the upright picture.",
        )
    if width is None and height is None:
        return *upright, 1, turned
    if not (_is_length(width) and _is_length(height)):
        message = f"the size {width!r:.40}×{height!r:.40} is no size; the file's {upright[0]}×{upright[1]} is used."
        return *upright, 1, ("picture of another size", message)
    said = (width, height)
    if said == upright:
        return *upright, 1, turned
    swaps = info.exif_orientation in _SWAPS_AXES
    turned_along = (
        "turned by EXIF",
        f"EXIF orientation {info.exif_orientation}; its boxes were drawn before and are turned along.",
    )
    if swaps and said == stored:
        return *said, info.exif_orientation, turned_along
    difference = f"said to be {width}×{height}, the file has {upright[0]}×{upright[1]}"
    if _aspects_agree(said, upright):
        return *said, 1, ("resized picture", f"{difference}: resized, its boxes are scaled along.")
    if swaps and _aspects_agree(said, stored):
        message = f"{difference} after turning: resized, its boxes are scaled and turned along."
        return *said, info.exif_orientation, ("resized picture", message)
    message = f"{difference}, another shape; boxes are taken as pixels of the file."
    return *upright, 1, ("picture of another size", message)


def _is_length(value) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value) and value > 0
    except OverflowError:  # an integer of 400 digits
        return False


def _aspects_agree(one, other) -> bool:
    return abs((one[0] * other[1]) / (one[1] * other[0]) - 1) <= _SAME_ASPECT
