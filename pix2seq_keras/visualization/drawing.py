"""Draws boxes with class names and scores on an image."""

import functools

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from pix2seq_keras.errors import InputError
from pix2seq_keras.keras_cv_adapter import convert_boxes
from pix2seq_keras.visualization.fonts import class_label, font_for

# The colours of Okabe and Ito without black, distinguishable with any kind of colour vision; then three more that also
# differ in lightness, so that ten classes have ten colours.
_PALETTE = (
    *("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7", "#0072B2"),
    *("#882255", "#BBBBBB", "#332288"),
)
_SHADES = (1.0, 1.45)  # classes 10 to 19: the same hues, lighter
_MAX_LABELS = 300  # on one image: more cover it, and nobody reads them
_MAX_ENLARGED_SIDE = 1600  # pixels, the longer side of an enlarged image: a thin one would become very long
_CELL = 4  # pixels, of the grid of places that labels take
_GOLDEN = 0.618034  # later classes: multiples of the golden ratio keep successive hues apart


def draw_detections(image, boxes, classes, scores=None, names=None, dashed=False, min_side=384):
    """Draws boxes and labels on a copy of an image.

    Small images are enlarged by an integer factor first, so that lines and text stay thin compared to the objects, but
    no image is enlarged beyond 1600 pixels. The first 300 boxes have labels, those with the highest scores.

    Args:
        image: uint8 array `(H, W, 3)`.
        boxes: float array `(n, 4)`, `rel_yxyx`.
        classes: int array `(n,)`; rows of class -1 are padding and not drawn.
        scores: float array `(n,)`, drawn after the names. Boxes with higher scores are drawn on top. Defaults to
            `None`, no scores.
        names: sequence of str, the class names. A label has at most 40 characters of a name, or the number of the class
            if no installed font can draw its name. Defaults to `None`, boxes without labels.
        dashed: bool, whether to draw thin, dashed, white boxes, for ground truth under detections. Defaults to `False`.
        min_side: int, length in pixels that the shorter side of the result has at least, unless the longer side would
            have more than 1600. Defaults to 384.

    Returns:
        uint8 array `(k·H, k·W, 3)` with an integer factor k ≥ 1.

    Raises:
        InputError: if the image is not a uint8 array `(H, W, 3)`.

    Example:
        >>> drawn = draw_detections(image, boxes, classes, scores, names=categories.names)
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3 or 0 in image.shape:
        raise InputError(
            f"`image` must be a uint8 array of shape (H, W, 3). Received: {image.dtype} array of shape {image.shape}."
        )
    canvas = _enlarged(image, min_side)
    boxes = _whole_pixels(boxes, canvas.size)  # (n, 4) xyxy
    classes = np.asarray(classes, np.int64).reshape(-1)
    order = np.arange(len(classes))
    if scores is not None:
        scores = np.asarray(scores, np.float64).reshape(-1)
        order = np.argsort(scores, kind="stable")
    order = [row for row in order if classes[row] >= 0]

    draw = ImageDraw.Draw(canvas)
    line = max(1, round(min(canvas.size) / 220))
    for row in order:
        if dashed:
            _dashed_rectangle(draw, boxes[row], max(1, line // 2))
        else:
            draw.rectangle(tuple(boxes[row]), outline=class_colour(classes[row]), width=line)
    if names is not None:
        taken = np.zeros((-(-canvas.height // _CELL), -(-canvas.width // _CELL)), bool)  # cells that labels cover
        for row in order[::-1][:_MAX_LABELS]:  # the best detection comes first
            name = class_label(names[classes[row]] if classes[row] < len(names) else "", classes[row])
            text = name if scores is None else f"{name} {scores[row]:.2f}"
            _label(draw, canvas.size, boxes[row], text, class_colour(classes[row]), line, taken)
    return np.asarray(canvas)


def class_colour(index):
    """Returns the colour of a class, the same in every image.

    Args:
        index: int ≥ 0, the class.

    Returns:
        `(red, green, blue)`, int in 0…255.

    Example:
        >>> class_colour(0)
        (230, 159, 0)
    """
    return _colour(int(index))


@functools.lru_cache(maxsize=4096)
def _colour(index):
    if index < len(_PALETTE) * len(_SHADES):
        rgb = np.array(ImageColor.getrgb(_PALETTE[index % len(_PALETTE)]))
        shade = _SHADES[index // len(_PALETTE)]
        rgb = rgb * shade if shade <= 1 else 255 - (255 - rgb) * (2 - shade)
        return tuple(int(value) for value in rgb)
    hue = round(360 * (index * _GOLDEN % 1))
    lightness = (42, 58, 72)[index % 3]
    return ImageColor.getrgb(f"hsl({hue}, 75%, {lightness}%)")


def _enlarged(image, min_side):
    height, width = image.shape[:2]
    wanted, possible = -(-min_side // min(height, width)), _MAX_ENLARGED_SIDE // max(height, width)
    factor = max(1, min(wanted, possible))
    canvas = Image.fromarray(image)
    if factor > 1:
        canvas = canvas.resize((width * factor, height * factor), Image.Resampling.BICUBIC)
    return canvas


def _whole_pixels(boxes, size):
    """`rel_yxyx` `(n, 4)` -> lists x0, y0, x1, y1 of whole pixels inside the canvas, x0 <= x1, y0 <= y1."""
    width, height = size
    boxes = np.nan_to_num(np.asarray(boxes, np.float64).reshape(-1, 4))
    corners = convert_boxes(boxes, "rel_yxyx", "xyxy", image_shape=(height, width), dtype="float64").numpy()
    corners = np.clip(np.round(corners), 0, [width - 1, height - 1] * 2).astype(int)
    first, second = corners[:, :2], corners[:, 2:]
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=-1).tolist()


def _dashed_rectangle(draw, box, line):
    """Draws white dashes over a dark line, visible on any background."""
    left, top, right, bottom = box
    dash = 5 * line + 2
    draw.rectangle(tuple(box), outline=(40, 40, 40), width=line)
    for start in range(left, right + 1, 2 * dash):
        end = min(start + dash, right)
        draw.line([(start, top), (end, top)], fill="white", width=line)
        draw.line([(start, bottom), (end, bottom)], fill="white", width=line)
    for start in range(top, bottom + 1, 2 * dash):
        end = min(start + dash, bottom)
        draw.line([(left, start), (left, end)], fill="white", width=line)
        draw.line([(right, start), (right, end)], fill="white", width=line)


def _label(draw, size, box, text, colour, line, taken):
    """Writes text on a filled rectangle, at the corner of the box that overlaps least with other labels."""
    font = font_for(text, max(11, round(min(size) / 34)))
    pad = max(2, line)
    ascent, descent = font.getmetrics()
    width, height = round(draw.textlength(text, font=font)) + 2 * pad, ascent + descent + pad
    left, top, right, bottom = box
    corners = [  # above the box, inside at the top, below it, inside at the bottom; then the same at the right
        (x, y) for x in (left, right - width + 1) for y in (top - height, top, bottom + 1, bottom - height + 1)
    ]
    places = []
    for x, y in corners:
        inside_x = min(max(x, 0), max(size[0] - width, 0))
        inside_y = min(max(y, 0), max(size[1] - height, 0))
        places.append((inside_x, inside_y, inside_x + width, inside_y + height))
    place = min(places, key=lambda candidate: taken[_cells(candidate)].sum())
    taken[_cells(place)] = True
    red, green, blue = colour
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "white"
    draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=colour)
    draw.text((place[0] + pad, place[1] + pad // 2), text, fill=ink, font=font)


def _cells(place):
    """The cells of the grid that a label touches."""
    left, top, right, bottom = place
    return slice(top // _CELL, -(-bottom // _CELL)), slice(left // _CELL, -(-right // _CELL))
