"""Reads every image of a split once and keeps only what a report needs."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pix2seq_keras.data.prefetch import prefetch
from pix2seq_keras.reports.dataset.fingerprints import Fingerprint, compute_fingerprint
from pix2seq_keras.visualization import draw_detections

_THUMBNAIL_SIDE = 320  # pixels, the longer side


@dataclass(frozen=True)
class ScannedImage:
    """What is kept of an image that can be read.

    Args:
        index: int, 0…N-1, the index of the image in its source.
        height: int, in pixels.
        width: int, in pixels.
        classes: int32 `(n,)`, of the objects without crowds.
        areas: float32 `(n,)`, of the same objects, in pixels².
        num_crowds: int, number of crowds.
        fingerprint: `Fingerprint`, to find near-duplicates.
        thumbnail: uint8 `(h, w, 3)`, a small copy with boxes; `None` for images that the report does not show.
    """

    index: int
    height: int
    width: int
    classes: np.ndarray
    areas: np.ndarray
    num_crowds: int
    fingerprint: Fingerprint
    thumbnail: np.ndarray | None = None


def scan_images(source, num_thumbnails=12, advance=lambda: None):
    """Reads all images of a source, several at the same time.

    Args:
        source: `Source`, the split. Images that cannot be read are added to its `issues`.
        num_thumbnails: int, number of images that get a thumbnail, evenly spaced. Defaults to 12.
        advance: function without arguments, called after each image. Defaults to a function that does nothing.

    Returns:
        List of `ScannedImage`, one for each image that can be read, in the order of the source.
    """
    with_thumbnail = np.linspace(0, len(source) - 1, min(num_thumbnails, len(source))).round().astype(int).tolist()
    with_thumbnail = set(with_thumbnail)

    def scan(index):
        example = source.read_or_report(index)
        if example is None:
            return None
        image, is_object = example["image"], ~example["is_crowd"]
        return ScannedImage(
            index=index,
            height=image.shape[0],
            width=image.shape[1],
            classes=example["classes"][is_object],
            areas=example["area"][is_object],
            num_crowds=int((~is_object).sum()),
            fingerprint=compute_fingerprint(image),
            thumbnail=draw_thumbnail(example, source.categories.names) if index in with_thumbnail else None,
        )

    scanned = []
    for image in prefetch(scan, len(source)):
        advance()
        if image is not None:
            scanned.append(image)
    return scanned


def draw_thumbnail(example, names):
    """Draws a small copy of an image with its boxes and class names; crowds are dashed.

    Args:
        example: dictionary, an example of a `Source`.
        names: sequence of str, the class names.

    Returns:
        uint8 array `(h, w, 3)`.
    """
    image = Image.fromarray(example["image"])
    image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.BOX)
    is_crowd, boxes, classes = example["is_crowd"], example["boxes"], example["classes"]
    drawn = draw_detections(np.asarray(image), boxes[is_crowd], classes[is_crowd], dashed=True, min_side=1)
    return draw_detections(drawn, boxes[~is_crowd], classes[~is_crowd], names=names, min_side=_THUMBNAIL_SIDE // 2)
