"""Scenes of handwritten digits, each drawn from its number.

scikit-learn has 1,797 digits that 43 people wrote by hand, 8×8 pixels each. A scene has a few of them, enlarged, at
random places over a textured background. (48 of them, nearly all simple vertical strokes for "1", are not used:
stretched to the aspect ratio below they would be unreadable.) Everything about a scene (texture, colours, digits,
places) is a pure function of `(size, split, index)`, so a split needs no download and is the same on every machine.
The source digits are divided among the splits, so no handwriting of a test scene is in a training scene.

All scenes have these properties:

- the box of a digit is the smallest one around its visible ink, is inside the image and has integer sides in pixels,
  both within `SceneSize.sides_pixels`; width / height is within 0.8…1.25;
- the contrast, `|ink − background|` in Rec. 601 luminance in [0, 1], is 0.5…1, where ink is the colour at full stroke
  and background is the mean over the box before any digit was drawn. A scene is dark or light as a whole, because no
  ink has a contrast of 0.5 to a mid-grey background;
- the boxes of two digits share at most 25 % of the smaller one; later digits cover earlier ones.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SPLIT_SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}
ASPECT_RANGE = (0.8, 1.25)
CONTRAST_RANGE = (0.5, 1.0)
MAX_OVERLAP = 0.25
# Rounding to 8 bits changes a luminance by up to 0.002, so contrasts are drawn a little inside the range.
_CONTRAST_MARGIN = 0.01
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_SOURCE_SPLIT_SEED = 20220125
_STREAM_SEED = 0x70327371
_MIN_SOURCE_ASPECT = 0.45
_GLYPH_SIDE = 80
_PLACEMENTS_TRIED = 48


@dataclass(frozen=True)
class SceneSize:
    """One size of scenes.

    Args:
        side_pixels: int, height and width of the image.
        max_digits: int, a scene has 1…max_digits digits, each number equally likely.
        sides_pixels: pair of int, the smallest and the largest height and width of a digit's box.
        num_scenes: dict of split to int, the number of its scenes.
    """

    side_pixels: int
    max_digits: int
    sides_pixels: tuple[int, int]
    num_scenes: dict[str, int]


SIZES = {
    "96": SceneSize(96, 6, (14, 40), {"train": 20_000, "val": 300, "test": 600}),
    "64": SceneSize(64, 3, (14, 32), {"train": 8_000, "val": 200, "test": 300}),
}


@dataclass(frozen=True)
class Digit:
    """One digit of a scene.

    Args:
        source_index: int, its row of `sklearn.datasets.load_digits()`, 0…1796.
        label: int, the digit, 0…9.
        box_pixels: tuple of int (ymin, xmin, ymax, xmax), the maxima exclusive.
        colour: float32 array (3,), RGB in [0, 1] of the ink at full stroke.
        contrast: float, |luminance of the ink − mean luminance of the background under the box|.
    """

    source_index: int
    label: int
    box_pixels: tuple[int, int, int, int]
    colour: np.ndarray
    contrast: float


@dataclass(frozen=True)
class Scene:
    """A drawn scene and its digits.

    Args:
        image: uint8 array (S, S, 3), RGB.
        background: float32 array (S, S, 3) in [0, 1], the texture before any digit was drawn.
        digits: tuple of `Digit`, in the order of drawing.
    """

    image: np.ndarray
    background: np.ndarray
    digits: tuple[Digit, ...]

    @property
    def boxes(self):
        """Boxes: float32 array (n, 4), `rel_yxyx`."""
        boxes_pixels = np.array([digit.box_pixels for digit in self.digits], np.float32)  # (n, 4)
        return boxes_pixels / np.float32(self.image.shape[0])

    @property
    def classes(self):
        """Labels: int32 array (n,)."""
        return np.array([digit.label for digit in self.digits], np.int32)

    @property
    def areas_pixels(self):
        """Areas of the boxes in pixels²: int64 array (n,)."""
        boxes_pixels = np.array([digit.box_pixels for digit in self.digits], np.int64)  # (n, 4)
        return (boxes_pixels[:, 2:] - boxes_pixels[:, :2]).prod(-1)


@cache
def source_digits():
    """The rows of `load_digits()` that each split uses; no two splits share a row.

    Every label is divided in the proportions of `SPLIT_SHARES`.

    Returns:
        dict of split to a sorted int64 array of row numbers.
    """
    glyphs, labels = _glyphs()
    readable = np.array([glyph.width >= _MIN_SOURCE_ASPECT * glyph.height for glyph in glyphs])
    rng = np.random.default_rng(_SOURCE_SPLIT_SEED)
    parts = {split: [] for split in SPLIT_SHARES}
    for label in range(10):
        rows = rng.permutation(np.flatnonzero(readable & (labels == label)))
        bounds = np.round(np.cumsum(list(SPLIT_SHARES.values())) * len(rows)).astype(int)
        for split, part in zip(parts, np.split(rows, bounds[:-1]), strict=True):
            parts[split].append(part)
    return {split: np.sort(np.concatenate(rows)) for split, rows in parts.items()}


def draw_scene(size, split, index):
    """Draws one scene, always the same one for the same arguments.

    Args:
        size: str, a key of `SIZES`, "96" or "64".
        split: str, "train", "val" or "test".
        index: int, number of the scene, 0 ≤ index. It may exceed the number of scenes of the split.

    Returns:
        `Scene`.

    Example:
        >>> scene = draw_scene("96", "test", 0)
        >>> scene.image.shape, scene.boxes.shape[1]
        ((96, 96, 3), 4)
    """
    spec = SIZES[size]
    stream = (_STREAM_SEED << 16) + list(SIZES).index(size) * 16 + list(SPLIT_SHARES).index(split)
    rng = np.random.Generator(np.random.Philox(key=np.array([stream, index], np.uint64)))
    glyphs, labels = _glyphs()
    rows = source_digits()[split]

    light = bool(rng.integers(2))
    background = _draw_background(rng, spec.side_pixels, light)  # (S, S, 3)
    canvas = background.copy()
    digits = []
    for box in _place_boxes(rng, spec):
        source = int(rows[rng.integers(len(rows))])
        colour, contrast = _choose_ink(rng, background, box, light)
        digits.append(Digit(source, int(labels[source]), box, colour, contrast))
        paint(canvas, digits[-1], glyphs[source])
    image = np.rint(canvas * np.float32(255)).astype(np.uint8)
    return Scene(image, background, tuple(digits))


def paint(canvas, digit, glyph=None):
    """Paints one digit over a canvas, in place.

    Args:
        canvas: float32 array (S, S, 3), RGB in [0, 1].
        digit: `Digit`.
        glyph: `PIL.Image.Image` or None, the enlarged handwriting. Defaults to None: that of `digit.source_index`.
    """
    y0, x0, y1, x1 = digit.box_pixels
    glyph = glyph or _glyphs()[0][digit.source_index]
    stroke = np.asarray(glyph.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR), np.float32)[..., None]
    stroke /= stroke.max()  # (h, w, 1), 1 where the ink is at full stroke
    patch = canvas[y0:y1, x0:x1]
    patch += stroke * (digit.colour - patch)


@cache
def _glyphs():
    """Every source digit, enlarged and cropped to its ink, with the labels.

    They are enlarged before they are cropped, so that strokes are round although the 8×8 original is not, and end
    inside the crop.
    """
    digits = load_digits()
    glyphs = []
    for intensities in digits.images:  # (8, 8) in 0…16
        framed = Image.fromarray(np.pad(intensities * (255 / 16), 1).astype(np.uint8))
        large = framed.resize((_GLYPH_SIDE, _GLYPH_SIDE), Image.Resampling.BICUBIC)
        smooth = np.asarray(large, np.float32) / 255
        ink = np.clip((smooth - 0.25) / 0.45, 0, 1)  # steeper edges, as of a pen
        rows, columns = np.flatnonzero((ink > 0.5).any(1)), np.flatnonzero((ink > 0.5).any(0))
        tight = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        glyphs.append(Image.fromarray(np.rint(tight * 255).astype(np.uint8)))
    return glyphs, digits.target


def _draw_background(rng, side, light):
    """A tinted texture, float32 array (S, S, 3) in [0, 1]: smooth noise, a gradient and fine grain.

    Its luminance is below 0.45, or above 0.55 if `light`, so that ink with a contrast of 0.5 exists.
    """
    cells = int(rng.integers(3, 13))
    coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
    # Pillow's resize uses integers: the same result on every machine, unlike a matrix product.
    smooth = coarse.resize((side, side), Image.Resampling.BICUBIC)
    slow = np.asarray(smooth, np.float32) * np.float32(2 / 255) - 1  # (S, S, 3) in [-1, 1]
    ramp = np.linspace(-1, 1, side, dtype=np.float32)
    slope_y, slope_x = rng.uniform(-0.06, 0.06, 2).astype(np.float32)
    slope = slope_y * ramp[:, None, None] + slope_x * ramp[None, :, None]  # (S, S, 1)
    grain = rng.integers(-2, 3, (side, side, 1), np.int8) * np.float32(rng.uniform(0.002, 0.012))
    tint = rng.uniform(-0.12, 0.12, 3).astype(np.float32)
    base = np.float32(rng.uniform(0.10, 0.30))
    amplitude = np.float32(rng.uniform(0.03, 0.13))
    dark = np.clip(base + tint + amplitude * slow + slope + grain, 0, 0.45)  # (S, S, 3)
    return 1 - dark if light else dark


def _place_boxes(rng, spec):
    """At most `spec.max_digits` boxes within the limits of sides, aspect ratio and overlap; fewer in a full image."""
    count = int(rng.integers(1, spec.max_digits + 1))
    smallest, largest = spec.sides_pixels
    placed = np.zeros((0, 4), np.int64)
    for _ in range(count):
        # The first candidate that fits: a full image gets smaller digits rather than fewer.
        scale = np.exp(rng.uniform(np.log(smallest), np.log(largest), _PLACEMENTS_TRIED))
        root_aspect = np.exp(rng.uniform(*np.log(ASPECT_RANGE), _PLACEMENTS_TRIED) / 2)
        heights, widths = np.rint(scale / root_aspect).astype(int), np.rint(scale * root_aspect).astype(int)
        tops = (rng.random(_PLACEMENTS_TRIED) * (spec.side_pixels - heights + 1)).astype(int)
        lefts = (rng.random(_PLACEMENTS_TRIED) * (spec.side_pixels - widths + 1)).astype(int)
        boxes = np.stack([tops, lefts, tops + heights, lefts + widths], -1)  # (tried, 4)
        aspects = widths / heights
        fits = (np.minimum(heights, widths) >= smallest) & (np.maximum(heights, widths) <= largest)
        fits &= (aspects >= ASPECT_RANGE[0]) & (aspects <= ASPECT_RANGE[1])
        fits &= (overlaps(boxes, placed) <= MAX_OVERLAP).all(-1)
        if fits.any():
            placed = np.concatenate([placed, boxes[[fits.argmax()]]])
    return [tuple(int(edge) for edge in box) for box in placed]


def overlaps(boxes, others):
    """Intersection over the smaller area of all pairs of boxes.

    Args:
        boxes: array (n, 4), `yxyx`.
        others: array (m, 4), `yxyx` in the same frame.

    Returns:
        float64 array (n, m): area of the intersection / area of the smaller box.
    """
    starts = np.maximum(boxes[:, None, :2], others[None, :, :2])  # (n, m, 2)
    ends = np.minimum(boxes[:, None, 2:], others[None, :, 2:])  # (n, m, 2)
    shared = np.maximum(ends - starts, 0).prod(-1)
    areas, other_areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1), (others[:, 2:] - others[:, :2]).prod(-1)
    return shared / np.minimum(areas[:, None], other_areas[None])


def _choose_ink(rng, background, box, light):
    """A random colour (3,) with a contrast of 0.5…1 to the mean of the background under the box."""
    y0, x0, y1, x1 = box
    beneath = float(background[y0:y1, x0:x1].mean((0, 1)) @ _LUMINANCE)
    room = beneath if light else 1 - beneath
    contrast = rng.uniform(CONTRAST_RANGE[0] + _CONTRAST_MARGIN, room)
    luminance = beneath - contrast if light else beneath + contrast
    hue = rng.random(3) - 0.5
    hue -= hue @ _LUMINANCE  # adding a multiple of it does not change the luminance
    # The strongest saturation up to 1 that keeps all three channels in [0, 1].
    headroom = np.where(hue > 0, 1 - luminance, luminance) / np.maximum(np.abs(hue), 1e-6)
    colour = luminance + min(1.0, headroom.min()) * hue
    return np.clip(colour, 0, 1).astype(np.float32), float(contrast)
