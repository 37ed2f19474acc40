"""Boxes with names and scores, drawn into an image."""

import functools
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from pix2seq_keras.errors import InputError

# Okabe and Ito's colours, which people with any kind of colour vision tell apart, without black; then three
# that differ from them in lightness too, so that ten digits have ten colours.
_PALETTE = (
    *("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7", "#0072B2"),
    *("#882255", "#BBBBBB", "#332288"),
)
_SHADES = (1.0, 1.45)  # beyond ten classes: the same hues lighter
_GOLDEN = 0.618034  # beyond those: hues that never come close to their predecessors


def draw_detections(image, boxes, classes, scores=None, names=None, truth=False, min_side=384):
    """Draws boxes and labels into a copy of an image.

    Small images are enlarged by a whole factor first, so that lines and letters stay thin beside the
    objects.

    Args:
        image: uint8 `(H, W, 3)`.
        boxes: `(n, 4)` rel_yxyx.
        classes: `(n,)`; rows of class -1 are padding and not drawn.
        scores: `(n,)` or None; written behind the names. Better detections lie above worse. Default: None.
        names: Sequence of class names, or None for boxes without labels. Default: None.
        truth: Whether to draw thin dashed white boxes, to be laid under detections. Default: False.
        min_side: Integer, pixels the shorter side of the returned image has at least. Default: 384.

    Returns:
        uint8 `(k·H, k·W, 3)` with a whole factor k ≥ 1.

    Raises:
        InputError: When the image is not uint8 `(H, W, 3)`.

    Example:
    ```python
    drawn = draw_detections(image, boxes, classes, scores, names=categories.names)
    ```
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3 or 0 in image.shape:
        raise InputError(
            f"An image to draw into must be uint8 of shape (H, W, 3). Received: {image.dtype} {image.shape}."
        )
    canvas = _enlarged(image, min_side)
    boxes = _to_canvas(boxes, canvas.size)  # (n, 4) x0, y0, x1, y1 in whole pixels
    classes = np.asarray(classes, np.int64).reshape(-1)
    order = np.arange(len(classes))
    if scores is not None:
        scores = np.asarray(scores, np.float64).reshape(-1)
        order = np.argsort(scores, kind="stable")
    order = [row for row in order if classes[row] >= 0]

    draw = ImageDraw.Draw(canvas)
    line = max(1, round(min(canvas.size) / 220))
    for row in order:
        if truth:
            _dashed_rectangle(draw, boxes[row], max(1, line // 2))
        else:
            draw.rectangle(tuple(boxes[row]), outline=class_colour(classes[row]), width=line)
    if names is not None:
        taken = []  # the best detection chooses the place of its label first
        for row in reversed(order):
            name = names[classes[row]] if classes[row] < len(names) else f"class {classes[row]}"
            text = name if scores is None else f"{name} {scores[row]:.2f}"
            _label(draw, canvas.size, boxes[row], text, class_colour(classes[row]), line, taken)
    return np.asarray(canvas)


def class_colour(index):
    """The colour of a class, the same in every image.

    Args:
        index: Integer ≥ 0, the class.

    Returns:
        `(red, green, blue)`, integers 0…255.
    """
    index = int(index)
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
    factor = max(1, -(-min_side // min(height, width)))
    canvas = Image.fromarray(image)
    if factor > 1:
        canvas = canvas.resize((width * factor, height * factor), Image.Resampling.BICUBIC)
    return canvas


def _to_canvas(boxes, size):
    """rel_yxyx `(n, 4)` -> x0, y0, x1, y1 `(n, 4)` in whole pixels of the canvas, x0 <= x1, y0 <= y1."""
    width, height = size
    boxes = np.nan_to_num(np.asarray(boxes, np.float64).reshape(-1, 4))
    corners = boxes[:, [1, 0, 3, 2]] * [width, height, width, height]
    corners = np.clip(np.round(corners), 0, [width - 1, height - 1] * 2).astype(int)
    first, second = corners[:, :2], corners[:, 2:]
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=-1).tolist()


def _dashed_rectangle(draw, box, line):
    """White dashes over a dark line, so that they show on any ground."""
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
    """Writes on a filled ground at the first corner that is inside the image and free, or the freest."""
    font = label_font(max(11, round(min(size) / 34)))
    pad = max(2, line)
    ascent, descent = font.getmetrics()
    width, height = round(draw.textlength(text, font=font)) + 2 * pad, ascent + descent + pad
    left, top, right, bottom = box
    corners = [  # above the box, inside its top, below it, inside its bottom; then the same from the right
        (x, y) for x in (left, right - width + 1) for y in (top - height, top, bottom + 1, bottom - height + 1)
    ]
    places = []
    for x, y in corners:
        inside_x = min(max(x, 0), max(size[0] - width, 0))
        inside_y = min(max(y, 0), max(size[1] - height, 0))
        places.append((inside_x, inside_y, inside_x + width, inside_y + height))
    place = min(places, key=lambda candidate: sum(_overlap(candidate, other) for other in taken))
    taken.append(place)
    red, green, blue = colour
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "white"
    draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=colour)
    draw.text((place[0] + pad, place[1] + pad // 2), text, fill=ink, font=font)


def _overlap(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0) * max(height, 0)


@functools.cache
def label_font(pixels):
    """DejaVu Sans, which comes with Matplotlib and knows more alphabets than Pillow's own font.

    Args:
        pixels: Integer, the font's size.

    Returns:
        A Pillow font.
    """
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", pixels)
