"""Galleries of many images in one PNG file, and single images as PNG files."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pix2seq_keras.atomic_files import atomic_write, write_error_message
from pix2seq_keras.errors import InputError
from pix2seq_keras.terminal import one_line
from pix2seq_keras.visualization.drawing import draw_detections
from pix2seq_keras.visualization.fonts import drawable, font_for

_MAX_CELL_SIDE = 480  # pixels: four columns fit a wide screen
_GAP = 12
_CAPTION_PIXELS = 15
_TITLE_PIXELS = 22
_MAX_LINE = 300  # characters
_BACKGROUND, _CELL_BACKGROUND, _TEXT = (255, 255, 255), (238, 238, 238), (30, 30, 30)


def save_gallery(path, panels, columns=4, title=None):
    """Writes one PNG file with all panels in cells of equal size and their captions below them.

    Args:
        path: str or path, the PNG file; its folder is created.
        panels: list of `(image, caption)`, a uint8 array `(H, W, 3)` and a str. Sizes may differ; large images are
            shrunk to fit.
        columns: int, cells per row. Defaults to 4.
        title: str, the text above the cells. Defaults to `None`, no title.

    Raises:
        InputError: if there is no panel or no column, or if the file cannot be written.

    Example:
        >>> panels = detection_panels(examples, model.detect(images), categories)
        >>> save_gallery("run/gallery.png", panels, title="step 4000")
    """
    if not panels or columns < 1:
        raise InputError(
            "`panels` must have at least one panel and `columns` must be at least 1. "
            f"Received: {len(panels)} panels, columns={columns}."
        )
    images = [_shrink(image) for image, _ in panels]
    cell_width = max(image.width for image in images)
    cell_height = max(image.height for image in images)
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    caption_height = round(1.5 * _CAPTION_PIXELS) if any(caption for _, caption in panels) else 0
    title_height = 2 * _TITLE_PIXELS if title else 0

    sheet = Image.new(
        "RGB",
        (
            columns * (cell_width + _GAP) + _GAP,
            title_height + rows * (cell_height + caption_height + _GAP) + _GAP,
        ),
        _BACKGROUND,
    )
    draw = ImageDraw.Draw(sheet)
    if title:
        write_line(draw, (_GAP, _GAP), title, _TITLE_PIXELS, sheet.width - 2 * _GAP)
    for number, (image, (_, caption)) in enumerate(zip(images, panels, strict=True)):
        row, column = divmod(number, columns)
        left = _GAP + column * (cell_width + _GAP)
        top = _GAP + title_height + row * (cell_height + caption_height + _GAP)
        draw.rectangle((left, top, left + cell_width - 1, top + cell_height - 1), fill=_CELL_BACKGROUND)
        sheet.paste(image, (left + (cell_width - image.width) // 2, top + (cell_height - image.height) // 2))
        if caption:
            write_line(draw, (left, top + cell_height + 3), caption, _CAPTION_PIXELS, cell_width)
    save_image(path, np.asarray(sheet))


def detection_panels(examples, detections, categories, threshold=0.5):
    """Draws detections (coloured, with scores) over ground truth (thin, dashed, white).

    Args:
        examples: list of B dictionaries with `"image"`, uint8 `(H, W, 3)`, `"image_id"` and, if the ground truth is
            known, `"boxes"` `(n, 4)`, `rel_yxyx`, and `"classes"` `(n,)`.
        detections: dictionary of `"boxes"` `(B, N, 4)`, `rel_yxyx`, `"classes"` `(B, N)` and `"scores"` `(B, N)`, as
            `model.detect` returns it. Rows after the first B, such as the padding of a batch, are ignored.
        categories: `Categories`, for the class names.
        threshold: float, minimum score of the detections that are drawn. Defaults to 0.5.

    Returns:
        List of B `(image, caption)`, a uint8 array and a str, for `save_gallery`.

    Example:
        >>> panels = detection_panels(examples, model.detect(images), categories, threshold=0.4)
        >>> panels[0][1]
        '17: 3 detected, 4 labelled'
    """
    boxes, classes, scores = (np.asarray(detections[key]) for key in ("boxes", "classes", "scores"))
    panels = []
    for row, example in enumerate(examples):
        image = example["image"]
        keep = (classes[row] >= 0) & (scores[row] >= threshold)  # (N,)
        caption = f"{example['image_id']}: {keep.sum()} detected"
        if "boxes" in example:
            image = draw_detections(image, example["boxes"], example["classes"], dashed=True)
            caption += f", {np.sum(np.asarray(example['classes']) >= 0)} labelled"
        image = draw_detections(image, boxes[row][keep], classes[row][keep], scores[row][keep], names=categories.names)
        panels.append((image, caption))
    return panels


def save_image(path, image):
    """Writes a PNG file atomically.

    Args:
        path: str or path, the PNG file; its folder is created.
        image: uint8 array `(H, W, 3)`.

    Raises:
        InputError: if the file cannot be written.

    Example:
        >>> save_image("predictions/7.png", draw_detections(image, boxes, classes))
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(write_error_message(path, error)) from error
    with atomic_write(path, "wb") as file:
        Image.fromarray(np.asarray(image)).save(file, format="PNG")


def _shrink(image):
    """The image as a Pillow image that fits into a cell."""
    image = Image.fromarray(np.asarray(image))
    scale = _MAX_CELL_SIDE / max(image.size)
    if scale >= 1:
        return image
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, Image.Resampling.LANCZOS)


def write_line(draw, place, text, pixels, width):
    """Writes text as one line, cut with an ellipsis if it is wider than `width`.

    Args:
        draw: `PIL.ImageDraw.ImageDraw`.
        place: `(left, top)` in pixels.
        text: object, converted to str.
        pixels: int, the size of the font.
        width: int, pixels.
    """
    text = drawable(one_line(text, _MAX_LINE))
    font = font_for(text, pixels)
    shown = text
    while text and draw.textlength(shown, font=font) > width:
        text = text[:-1]
        shown = text + "…"
    draw.text(place, shown, fill=_TEXT, font=font)
