"""Many images on one sheet, and images on disk."""

import contextlib
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pix2seq_keras.errors import InputError
from pix2seq_keras.visualization.drawing import draw_detections, label_font

_LONGEST_CELL = 480  # pixels: a sheet of four columns fits a wide screen
_GAP = 12
_CAPTION_PIXELS = 15
_TITLE_PIXELS = 22
_PAPER, _CELL, _INK = (255, 255, 255), (238, 238, 238), (30, 30, 30)


def save_gallery(path, panels, columns=4, title=None):
    """Writes one PNG with all panels in equal cells, captions below them.

    Args:
        path: Path of the PNG; its folder is made.
        panels: List of `(image uint8 (H, W, 3), caption)`; sizes may differ. Large ones are shrunk to fit.
        columns: Integer, cells a row. Default: 4.
        title: String above the sheet, or None. Default: None.

    Raises:
        InputError: When there is no panel, or the PNG cannot be written.

    Example:
    ```python
    panels = detection_panels(examples, model.detect(images), categories)
    save_gallery("run/gallery.png", panels, title="step 4000")
    ```
    """
    if not panels or columns < 1:
        raise InputError(
            f"A gallery needs at least one panel and one column. Received: {len(panels)} panels, {columns} columns."
        )
    images = [_fitted(image) for image, _ in panels]
    cell_width = max(image.width for image in images)
    cell_height = max(image.height for image in images)
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    caption_font, title_font = label_font(_CAPTION_PIXELS), label_font(_TITLE_PIXELS)
    caption_height = round(1.5 * _CAPTION_PIXELS) if any(caption for _, caption in panels) else 0
    title_height = 2 * _TITLE_PIXELS if title else 0

    sheet = Image.new(
        "RGB",
        (
            columns * (cell_width + _GAP) + _GAP,
            title_height + rows * (cell_height + caption_height + _GAP) + _GAP,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    if title:
        shown = _shortened(draw, title, title_font, sheet.width - 2 * _GAP)
        draw.text((_GAP, _GAP), shown, fill=_INK, font=title_font)
    for number, (image, (_, caption)) in enumerate(zip(images, panels, strict=True)):
        row, column = divmod(number, columns)
        left = _GAP + column * (cell_width + _GAP)
        top = _GAP + title_height + row * (cell_height + caption_height + _GAP)
        draw.rectangle((left, top, left + cell_width - 1, top + cell_height - 1), fill=_CELL)
        sheet.paste(image, (left + (cell_width - image.width) // 2, top + (cell_height - image.height) // 2))
        if caption:
            shown = _shortened(draw, caption, caption_font, cell_width)
            draw.text((left, top + cell_height + 3), shown, fill=_INK, font=caption_font)
    save_image(path, np.asarray(sheet))


def detection_panels(examples, detections, categories, threshold=0.5):
    """Draws what was found, coloured with scores, over what is there, thin dashed white.

    Args:
        examples: List of B dictionaries of "image" uint8 `(H, W, 3)`, "image_id", and, where truth is known,
            "boxes" `(n, 4)` rel_yxyx and "classes" `(n,)`.
        detections: Dictionary of "boxes" `(B, N, 4)` rel_yxyx, "classes" `(B, N)` and "scores" `(B, N)`, as
            `model.detect` returns it. Further rows, such as a padded batch has, are ignored.
        categories: `Categories`, for the names.
        threshold: Float, detections of a lower score are not drawn. Default: 0.5.

    Returns:
        List of B `(image uint8, caption)` for `save_gallery`.
    """
    boxes, classes, scores = (np.asarray(detections[key]) for key in ("boxes", "classes", "scores"))
    panels = []
    for row, example in enumerate(examples):
        image = example["image"]
        keep = (classes[row] >= 0) & (scores[row] >= threshold)  # (N,)
        caption = f"{example['image_id']}: {keep.sum()} found"
        if "boxes" in example:
            image = draw_detections(image, example["boxes"], example["classes"], truth=True)
            caption += f", {np.sum(np.asarray(example['classes']) >= 0)} labelled"
        image = draw_detections(image, boxes[row][keep], classes[row][keep], scores[row][keep], names=categories.names)
        panels.append((image, caption))
    return panels


def save_image(path, image):
    """Writes a PNG whole or not at all; its folder is made.

    Args:
        path: Path of the PNG.
        image: uint8 `(H, W, 3)`.

    Raises:
        InputError: When it cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(image)).save(temporary, format="PNG")
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"The image {path} cannot be written: {error.strerror or error}. "
            "Choose a folder that can be written and has space."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _fitted(image):
    image = Image.fromarray(np.asarray(image))
    scale = _LONGEST_CELL / max(image.size)
    if scale >= 1:
        return image
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, Image.Resampling.LANCZOS)


def _shortened(draw, text, font, width):
    """The text, cut with an ellipsis where it would run out of `width` pixels."""
    text = " ".join(str(text).split())
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(text + "…", font=font) > width:
        text = text[:-1]
    return text + "…"
