"""Pictures on their way out: copied as they are where that can be, under names that no two of them share."""

import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pix2seq_keras.data.pictures import PictureError, inspect_picture
from pix2seq_keras.data.sources.source import Source

_WORKERS = 4
_ENDINGS = {
    "JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp", "GIF": ".gif", "WEBP": ".webp", "TIFF": ".tif",
    "PPM": ".ppm", "JPEG2000": ".jp2", "AVIF": ".avif",
}  # fmt: skip
_LONGEST_STEM = 150


@dataclass(frozen=True)
class PictureOut:
    """A picture to be written.

    Args:
        stem: its name without an ending.
        ending: ".jpg", ….
        data: the bytes of the file.
        height: pixels.
        width: pixels.
        objects: as `Source.objects` gives them, those without an area left out.
        copied: whether `data` is what the source has.
        dead: how many objects were left out, for having no area.
    """

    stem: str
    ending: str
    data: bytes
    height: int
    width: int
    objects: dict
    copied: bool
    dead: int

    @property
    def file_name(self) -> str:
        """The file's name."""
        return self.stem + self.ending


def pictures_out(source: Source, split: str, tally, taken: set[str], formats=None) -> Iterator[PictureOut]:
    """The pictures of a source one after the other, those that cannot be read left out and told.

    Args:
        source: the source.
        split: the name it has in the conversion, for the tally.
        tally: a `Tally`; it is told of pictures and losses, but of objects only those without an area.
        taken: names that are taken already, in lower case; the new ones are added.
        formats: kinds of file that may be copied, such as ("JPEG", "PNG"). Defaults to all.

    Yields:
        `PictureOut`.
    """
    stems = [_free_stem(source, index, taken) for index in range(len(source))]

    def prepare(index: int) -> PictureOut | None:
        try:
            return _prepare(source, index, stems[index], formats)
        except PictureError as error:
            source.findings.add(error.kind, source.label(index), f"{error} It is left out.")
            return None

    for picture in _ahead(prepare, len(source)):
        tally.done()
        if picture is None:
            tally.note(f"pictures of {split} cannot be read and are left out")
            continue
        if not picture.copied:
            tally.note("pictures were written anew as PNG, which loses nothing")
        tally.note("objects without area are left out", picture.dead)
        yield picture


def _prepare(source: Source, index: int, stem: str, formats) -> PictureOut:
    objects = source.objects(index)
    boxes = objects["boxes"]  # (n, 4)
    alive = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    objects = {key: value if key == "image_id" else value[alive] for key, value in objects.items()}
    dead = int((~alive).sum())
    if source.encoded is not None:
        data = source.encoded(index)
        info = inspect_picture(data)
        if info.exif_orientation == 1 and info.format in (formats or _ENDINGS):
            ending = _ENDINGS[info.format]
            return PictureOut(stem, ending, data, info.height, info.width, objects, True, dead)
    image = source.read(index)["image"]  # (H, W, 3)
    height, width = image.shape[:2]
    return PictureOut(stem, ".png", _as_png(image), height, width, objects, False, dead)


def _as_png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def _free_stem(source: Source, index: int, taken: set[str]) -> str:
    """The picture's own name where it is free, cleared of what some programs trip over; its id if it has none."""
    stem = f"{int(source.image_ids[index]):012d}" if source.labels is None else Path(source.labels[index]).stem
    stem = re.sub(r"[^\w.-]+", "_", stem).lstrip(".-")[:_LONGEST_STEM] or "picture"
    free, number = stem, 2
    while free.lower() in taken:  # a.jpg and A.JPG are one file to some systems
        free, number = f"{stem}_{number}", number + 1
    taken.add(free.lower())
    return free


def _ahead(work: Callable[[int], object], count: int) -> Iterator:
    """What `work` returns for 0 … count − 1, in order, a few of them done ahead."""
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="pix2seq-convert") as workers:
        ahead: deque = deque()
        for index in range(count):
            ahead.append(workers.submit(work, index))
            if len(ahead) > _WORKERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
