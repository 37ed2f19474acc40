"""The images of a conversion: copied unchanged where possible, under unique names."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.prefetch import prefetch

_SUFFIXES = {
    "JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp", "GIF": ".gif", "WEBP": ".webp", "TIFF": ".tif",
    "PPM": ".ppm", "JPEG2000": ".jp2", "AVIF": ".avif",
}  # fmt: skip
_MAX_STEM_LENGTH = 150


@dataclass(frozen=True)
class ConvertedImage:
    """An image to be written.

    Args:
        stem: str, its name without the suffix.
        suffix: str, ".jpg", ….
        data: bytes, of the file.
        height: int, pixels.
        width: int, pixels.
        objects: dict, as `Source.objects` returns it, without objects that have no area.
        copied: bool, whether `data` is the source's own file.
        dead: int, number of objects left out because they have no area.
    """

    stem: str
    suffix: str
    data: bytes
    height: int
    width: int
    objects: dict
    copied: bool
    dead: int

    @property
    def file_name(self):
        """The file's name: str."""
        return self.stem + self.suffix


def converted_images(source, split, counts, used_names, formats=None):
    """Reads the images of a source one after the other; those that cannot be read are left out and reported.

    Args:
        source: `Source`.
        split: str, its name in the conversion.
        counts: `ConversionCounts`, counts the images, those left out and the objects without area.
        used_names: dict of str, file names in use, in lower case and without suffixes, to int, the number to try first
            behind another image of that name; the new ones are added.
        formats: tuple of str, formats that may be copied, such as ("JPEG", "PNG"). Defaults to None, all.

    Yields:
        `ConvertedImage`.
    """
    stems = [_unused_stem(source, index, used_names) for index in range(len(source))]

    def prepare(index):
        try:
            return _prepare(source, index, stems[index], formats)
        except ImageError as error:
            source.issues.add(error.kind, source.label(index), f"{error} The image is left out.")
            return None

    for image in prefetch(prepare, len(source)):
        counts.image_done()
        if image is None:
            counts.add_note(f"images of {split} cannot be read and are left out")
            continue
        if not image.copied:
            counts.add_note("images were converted to PNG, without loss of pixels")
        counts.add_note("objects without area are left out", image.dead)
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
        if info.exif_orientation == 1 and info.format in (formats or _SUFFIXES):
            suffix = _SUFFIXES[info.format]
            return ConvertedImage(stem, suffix, data, info.height, info.width, objects, True, dead)
    image = source.read(index)["image"]  # (H, W, 3)
    height, width = image.shape[:2]
    return ConvertedImage(stem, ".png", _as_png(image), height, width, objects, False, dead)


def _as_png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def _unused_stem(source, index, used_names):
    """The image's own name without unusual characters, or its id if it has none; with a number if it is in use."""
    stem = f"{int(source.image_ids[index]):012d}" if source.labels is None else Path(source.labels[index]).stem
    stem = re.sub(r"[^\w.-]+", "_", stem).lstrip(".-")[:_MAX_STEM_LENGTH] or "image"
    name = stem.lower()  # a.jpg and A.JPG are one file on some systems
    unused, number = stem, used_names.get(name, 2)
    while unused.lower() in used_names:
        unused, number = f"{stem}_{number}", number + 1
    used_names[unused.lower()] = 2
    used_names[name] = number  # not from 2 again: all images may have one name, in folders of their own
    return unused
