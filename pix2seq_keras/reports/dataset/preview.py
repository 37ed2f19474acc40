"""Draws training images as the model gets them; the boxes and the text come from the tokens."""

import numpy as np
from PIL import Image, ImageDraw

from pix2seq_keras.errors import InputError
from pix2seq_keras.keras_cv_adapter import convert_boxes
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.visualization.fonts import class_label, label_font
from pix2seq_keras.visualization.gallery import save_image, write_line
from pix2seq_keras.vocabulary import END_TOKEN

_REAL_BOX, _NOISE_BOX = (230, 30, 30), (255, 255, 255)
_PANEL_WIDTH = 480  # pixels, as all sizes below
_GAP, _TITLE_SIZE, _FONT_SIZE, _LINE_HEIGHT = 12, 22, 12, 15
_SHEET_BACKGROUND, _TEXT_BACKGROUND = (255, 255, 255), (28, 28, 28)
_NOISE_TEXT, _REAL_TEXT, _ZERO_WEIGHT_TEXT = (255, 255, 255), (255, 130, 130), (120, 120, 120)
_MAX_NAME_LENGTH = 12  # characters


def save_training_gallery(path, examples, vocabulary, names, title=None, columns=4):
    """Writes one PNG file with training images and, below each, its token sequence.

    Real objects are red, noise objects white. Each line of a sequence is an object, `ymin xmin ymax xmax class`, in
    coordinate bins. Tokens with weight 0 in the loss are grey.

    Args:
        path: str or path, the PNG file; its folder is created.
        examples: list of `({"images" float32 (H, W, 3), "tokens"}, targets int (L,), weights float (L,))`, elements of
            an unbatched `training_dataset`.
        vocabulary: `Vocabulary`.
        names: sequence of str, the class names.
        title: str, the text above the images. Defaults to `None`, no title.
        columns: int, images per row. Defaults to 4.

    Raises:
        InputError: if there is no example or no column, or if the file cannot be written.

    Example:
        >>> examples = dataset.unbatch().take(8).as_numpy_iterator()
        >>> save_training_gallery("preview.png", list(examples), vocabulary, source.categories.names)
    """
    if not examples or columns < 1:
        raise InputError(
            "`examples` must have at least one example and `columns` must be at least 1. "
            f"Received: {len(examples)} examples, columns={columns}."
        )
    panels = [
        draw_training_example(x["images"], targets, weights, vocabulary, names) for x, targets, weights in examples
    ]
    columns = min(columns, len(panels))
    heights = [max(len(panel) for panel in panels[start : start + columns]) for start in range(0, len(panels), columns)]
    tops = np.cumsum([_GAP + (2 * _TITLE_SIZE if title else 0), *(height + _GAP for height in heights)]).tolist()
    sheet = Image.new("RGB", (columns * (_PANEL_WIDTH + _GAP) + _GAP, tops[-1]), _SHEET_BACKGROUND)
    if title:
        write_line(ImageDraw.Draw(sheet), (_GAP, _GAP), title, _TITLE_SIZE, sheet.width - 2 * _GAP)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        sheet.paste(Image.fromarray(panel), (_GAP + column * (_PANEL_WIDTH + _GAP), tops[row]))
    save_image(path, np.asarray(sheet))


def draw_training_example(image, targets, weights, vocabulary, names):
    """Draws one training image with its objects, and its token sequence below it.

    Args:
        image: float array `(H, W, 3)` in [0, 1].
        targets: int array `(L,)`, the token sequence.
        weights: float array `(L,)`, the weights of the targets in the loss.
        vocabulary: `Vocabulary`.
        names: sequence of str, the class names.

    Returns:
        uint8 array `(h, w, 3)`.
    """
    image = Image.fromarray(np.round(np.asarray(image) * 255).clip(0, 255).astype(np.uint8))
    scale = _PANEL_WIDTH / image.width
    image = image.resize((_PANEL_WIDTH, max(1, round(image.height * scale))), Image.Resampling.BICUBIC)
    objects = np.asarray(targets).reshape(-1, TOKENS_PER_OBJECT)  # (n, 5)
    weights = np.asarray(weights).reshape(-1, TOKENS_PER_OBJECT)  # (n, 5)

    draw = ImageDraw.Draw(image)
    boxes = (objects[:, :4] - vocabulary.coord_shift) / (vocabulary.num_bins - 1)  # (n, 4) rel_yxyx
    last_pixel = (image.height - 1, image.width - 1)
    corners = convert_boxes(boxes, "rel_yxyx", "xyxy", image_shape=last_pixel, dtype="float64").numpy()
    corners[:, 2:] = np.maximum(corners[:, :2], corners[:, 2:])  # Pillow refuses edges in the wrong order
    is_noise = objects[:, 4] == vocabulary.noise_token
    is_real = ~is_noise & (objects[:, 4] != END_TOKEN)
    for rows, colour, line in ((is_noise, _NOISE_BOX, 1), (is_real, _REAL_BOX, 3)):  # real objects on top
        for box in corners[rows].tolist():
            draw.rectangle(box, outline=colour, width=line)

    text = _draw_text(sequence_words(objects, weights, vocabulary, names))
    panel = Image.new("RGB", (_PANEL_WIDTH, image.height + text.height), _TEXT_BACKGROUND)
    panel.paste(image, (0, 0))
    panel.paste(text, (0, image.height))
    return np.asarray(panel)


def sequence_words(targets, weights, vocabulary, names):
    """Converts a token sequence to words, object by object.

    Args:
        targets: int array `(n, 5)` or `(5·n,)`, the token sequence.
        weights: float array of the same shape, the weights in the loss.
        vocabulary: `Vocabulary`.
        names: sequence of str, the class names.

    Returns:
        List with one list per object, each of five `(word, weight)`: four coordinate bins, and the name of the class
        (its first 12 characters) or "noise". The padding at the end is one list with one word, which has the number of
        padding tokens.

    Example:
        >>> vocabulary = Vocabulary(num_classes=3, num_bins=97)  # coordinates start at token 6
        >>> sequence_words([[13, 14, 15, 16, 3]], np.ones((1, 5)), vocabulary, ("red", "green", "blue"))
        [[('7', 1.0), ('8', 1.0), ('9', 1.0), ('10', 1.0), ('red', 1.0)]]
    """
    targets = np.asarray(targets).reshape(-1, TOKENS_PER_OBJECT)
    weights = np.asarray(weights).reshape(-1, TOKENS_PER_OBJECT)
    lines = []
    for number, (tokens, token_weights) in enumerate(zip(targets.tolist(), weights.tolist(), strict=True)):
        if tokens[0] == END_TOKEN:
            rest = (len(targets) - number) * TOKENS_PER_OBJECT - 1
            lines.append([(f"end, then {rest} tokens of padding", token_weights[0])])
            break
        words = [str(token - vocabulary.coord_shift) for token in tokens[:4]] + [
            _class_word(tokens[4], vocabulary, names)
        ]
        lines.append(list(zip(words, token_weights, strict=True)))
    return lines


def _class_word(token, vocabulary, names):
    if token == vocabulary.noise_token:
        return "noise"
    label = token - vocabulary.label_shift
    index = vocabulary.class_of_label[label] if 0 <= label < vocabulary.num_labels else -1
    if not 0 <= index < len(names):
        return f"token {token}"
    return class_label(names[index], index, _MAX_NAME_LENGTH, mono=True)


def _draw_text(lines):
    """Draws the words as an image with the width of a panel, in as many columns as fit."""
    font = label_font(_FONT_SIZE, mono=True)
    digits = max((len(word) for line in lines for word, _ in line[:4] if len(line) > 1), default=4)
    digits = max(digits, 4)  # as wide as "ymin"
    character = font.getlength("0")
    column_width = round((4 * (digits + 1) + _MAX_NAME_LENGTH + 1) * character)
    columns = max(1, _PANEL_WIDTH // column_width)
    rows = -(-len(lines) // columns) + 1
    image = Image.new("RGB", (_PANEL_WIDTH, rows * _LINE_HEIGHT + _LINE_HEIGHT // 2), _TEXT_BACKGROUND)
    draw = ImageDraw.Draw(image)
    head = [(word, 1.0) for word in ("ymin", "xmin", "ymax", "xmax", "class")]
    for column in range(min(columns, max(1, len(lines)))):
        _write_line(draw, font, column * column_width + 4, 2, head, digits, character, _ZERO_WEIGHT_TEXT)
    for number, line in enumerate(lines):
        column, row = divmod(number, rows - 1)
        is_real = len(line) == TOKENS_PER_OBJECT and line[4][0] != "noise"
        colour = _REAL_TEXT if is_real else _NOISE_TEXT
        top = (row + 1) * _LINE_HEIGHT + 2
        _write_line(draw, font, column * column_width + 4, top, line, digits, character, colour)
    return image


def _write_line(draw, font, left, top, line, digits, character, colour):
    for position, (word, weight) in enumerate(line):
        is_name = position == 4 or len(line) == 1
        text = word if is_name else word.rjust(digits)
        fill = colour if weight > 0 else _ZERO_WEIGHT_TEXT
        draw.text((left + position * (digits + 1) * character, top), text, fill=fill, font=font)
