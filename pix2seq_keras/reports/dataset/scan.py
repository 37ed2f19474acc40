"""Reading every image of a split once, and keeping of each only what a report needs."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pix2seq_keras.reports.dataset.fingerprints import Fingerprint, fingerprint
from pix2seq_keras.visualization import draw_detections

_READERS = 4  # decoding releases Python's lock
_THUMBNAIL = 320  # pixels, the longer side


@dataclass(frozen=True)
class Look:
    """What is kept of an image that could be read.

    Args:
        index: 0…N-1 in its source.
        height: pixels.
        width: pixels.
        classes: int32 `(n,)`, of the objects that are no crowds.
        areas: float32 `(n,)`, theirs in pixels².
        crowds: how many crowds it has.
        fingerprint: see there.
        thumbnail: uint8 `(h, w, 3)` with its boxes drawn, for the few that are shown; None for others.
    """

    index: int
    height: int
    width: int
    classes: np.ndarray
    areas: np.ndarray
    crowds: int
    fingerprint: Fingerprint
    thumbnail: np.ndarray | None = None


def look_at_images(source, shown=12, advance=lambda: None):
    """Reads all images, several at once.

    Args:
        source: `Source`, the split; its `issues` are told of images that cannot be read.
        shown: int, how many thumbnails to keep, of images at equal distances.
        advance: function, is called after each image.

    Returns:
        A `Look` for each image that could be read, in the source's order.
    """
    chosen = set(np.linspace(0, len(source) - 1, min(shown, len(source))).round().astype(int).tolist())

    def look(index):
        example = source.read_or_report(index)
        if example is None:
            return None
        image, real = example["image"], ~example["is_crowd"]
        return Look(
            index=index,
            height=image.shape[0],
            width=image.shape[1],
            classes=example["classes"][real],
            areas=example["area"][real],
            crowds=int((~real).sum()),
            fingerprint=fingerprint(image),
            thumbnail=thumbnail(example, source.categories.names) if index in chosen else None,
        )

    looks, ahead = [], deque()
    with ThreadPoolExecutor(_READERS, thread_name_prefix="pix2seq-look") as readers:
        for index in range(len(source) + _READERS):
            if index < len(source):
                ahead.append(readers.submit(look, index))
            if index >= _READERS:
                looks.append(ahead.popleft().result())
                advance()
    return [seen for seen in looks if seen is not None]


def thumbnail(example, names):
    """A small copy of an example's image with its boxes and their names, crowds dashed: uint8 `(h, w, 3)`."""
    image = Image.fromarray(example["image"])
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    crowd = example["is_crowd"]
    boxes, classes = example["boxes"], example["classes"]
    small = draw_detections(np.asarray(image), boxes[crowd], classes[crowd], dashed=True, min_side=1)
    return draw_detections(small, boxes[~crowd], classes[~crowd], names=names, min_side=_THUMBNAIL // 2)
