"""Images on their way out: copied as they are where that can be, under names that no two of them share."""

import io
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pix2seq_keras.data.images.read_image import ImageError, inspect_image

_WORKERS = 4
_ENDINGS = {
    "JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp", "GIF": ".gif", "WEBP": ".webp", "TIFF": ".tif",
    "PPM": ".ppm", "JPEG2000": ".jp2", "AVIF": ".avif",
}  # fmt: skip
_LONGEST_STEM = 150


@dataclass(frozen=True)
class ImageOut:
    """An image to be written.

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
    def file_name(self):
        """The file's name."""
        return self.stem + self.ending


def images_out(source, split, tally, taken, formats=None):
    """The images of a source one after the other, those that cannot be read left out and told.

    Args:
        source: `Source`, the source.
        split: str, the name it has in the conversion, for the tally.
        tally: a `Tally`; it is told of images and losses, but of objects only those without an area.
        taken: set[str], names that are taken already, in lower case; the new ones are added.
        formats: kinds of file that may be copied, such as ("JPEG", "PNG"). Defaults to all.

    Yields:
        `ImageOut`.
    """
    stems = [_free_stem(source, index, taken) for index in range(len(source))]

    def prepare(index):
        try:
            return _prepare(source, index, stems[index], formats)
        except ImageError as error:
            source.issues.add(error.kind, source.label(index), f"{error} It is left out.")
            return None

    for image in _ahead(prepare, len(source)):
        tally.done()
        if image is None:
            tally.note(f"images of {split} cannot be read and are left out")
            continue
        if not image.copied:
            tally.note("images were written anew as PNG, which loses nothing")
        tally.note("objects without area are left out", image.dead)
        yield image


def _prepare(source, index, stem, formats):
    objects = source.objects(index)
    boxes = objects["boxes"]  # (n, 4)
    alive = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    objects = {key: value if key == "image_id" else value[alive] for key, value in objects.items()}
    dead = int((~alive).sum())
    if source.encoded is not None:
        data = source.encoded(index)
        info = inspect_image(data)
        if info.exif_orientation == 1 and info.format in (formats or _ENDINGS):
            ending = _ENDINGS[info.format]
            return ImageOut(stem, ending, data, info.height, info.width, objects, True, dead)
    image = source.read(index)["image"]  # (H, W, 3)
    height, width = image.shape[:2]
    return ImageOut(stem, ".png", _as_png(image), height, width, objects, False, dead)


def _as_png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def _free_stem(source, index, taken):
    """The image's own name where it is free, cleared of what some programs trip over; its id if it has none."""
    stem = f"{int(source.image_ids[index]):012d}" if source.labels is None else Path(source.labels[index]).stem
    stem = re.sub(r"[^\w.-]+", "_", stem).lstrip(".-")[:_LONGEST_STEM] or "image"
    free, number = stem, 2
    while free.lower() in taken:  # a.jpg and A.JPG are one file to some systems
        free, number = f"{stem}_{number}", number + 1
    taken.add(free.lower())
    return free


def _ahead(work, count):
    """What `work` returns for 0 … count − 1, in order, a few of them done ahead."""
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="pix2seq-convert") as workers:
        ahead: deque = deque()
        for index in range(count):
            ahead.append(workers.submit(work, index))
            if len(ahead) > _WORKERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
