"""The options of augmentation in a recipe. This module does not import TensorFlow, so that `--help` stays fast."""

import dataclasses

from pix2seq_keras.errors import InputError

_SHARES = (
    "flip",
    "vertical_flip",
    "rotate",
    "transpose",
    "erase",
    "erase_min_visible",
    "mosaic",
    "mosaic_min_visible",
)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How training images are changed. The defaults are those of the published fine-tuning, without colour jitter.

    The image is fitted into s·canvas, with s uniform between `min_scale` and `max_scale`, then cropped to the canvas.
    `augmentation.augment` documents the order of the steps.

    Args:
        min_scale: float > 0, the smallest s. If the image is rotated or transposed, s refers to the upright image.
        max_scale: float ≥ `min_scale`, the largest s.
        flip: float in [0, 1], probability of a horizontal flip.
        color: float ≥ 0, strength of brightness, contrast, saturation and hue jitter; 0 is off, 1 is usual.
        vertical_flip: float in [0, 1], probability of a vertical flip, for images without an up.
        rotate: float in [0, 1], probability of a rotation by 90, 180 or 270 degrees, each as likely as the others.
        transpose: float in [0, 1], probability that rows and columns are exchanged.
        erase: float in [0, 1], probability that rectangles of random size, place and colour are painted over it.
        erase_count: int ≥ 1, how many rectangles.
        erase_max_area: float in [0.02, 1], the largest share of the image that one rectangle covers; the smallest is
            0.02.
        erase_min_visible: float in [0, 1], objects of which less than this share stays visible are no longer targets.
        mosaic: float in [0, 1], probability that four images, each augmented on its own, share the canvas.
        mosaic_min_visible: float in [0, 1], objects of which less than this share is inside their tile are no targets.

    Raises:
        InputError: if a field is out of its range.

    Example:
        >>> Augmentation(color=0.5).max_scale
        2.0
    """

    min_scale: float = 0.3
    max_scale: float = 2.0
    flip: float = 0.5
    color: float = 0.0
    vertical_flip: float = 0.0
    rotate: float = 0.0
    transpose: float = 0.0
    erase: float = 0.0
    erase_count: int = 1
    erase_max_area: float = 0.2
    erase_min_visible: float = 0.3
    mosaic: float = 0.0
    mosaic_min_visible: float = 0.1

    def __post_init__(self):
        if not 0 < self.min_scale <= self.max_scale:
            raise InputError(
                "`min_scale` must be above 0 and at most `max_scale`. "
                f"Received: min_scale={self.min_scale}, max_scale={self.max_scale}"
            )
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"`{name}` must be in [0, 1]. Received: {name}={getattr(self, name)}")
        if not self.color >= 0:
            raise InputError(f"`color` must be at least 0. Received: color={self.color}")
        if self.erase_count < 1 or not 0.02 <= self.erase_max_area <= 1:
            raise InputError(
                "`erase_count` must be at least 1 and `erase_max_area` in [0.02, 1]. "
                f"Received: erase_count={self.erase_count}, erase_max_area={self.erase_max_area}"
            )
