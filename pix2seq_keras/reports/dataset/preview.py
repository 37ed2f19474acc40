"""Training images as the model gets them: what is drawn and written is read off the tokens."""

import functools
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.visualization.drawing import label_font
from pix2seq_keras.visualization.gallery import save_image
from pix2seq_keras.vocabulary import END_TOKEN

_REAL, _NOISE = (230, 30, 30), (255, 255, 255)
_WIDTH = 480  # pixels of a panel
_GAP, _TITLE, _FONT, _LINE = 12, 22, 12, 15  # pixels
_PAPER = (255, 255, 255)
_GROUND, _INK, _REAL_INK, _UNWEIGHTED = (28, 28, 28), (255, 255, 255), (255, 130, 130), (120, 120, 120)
_LONGEST_NAME = 12


def save_training_gallery(path, examples, vocabulary, names, title=None, columns=4):
    """Writes one PNG of training examples: images with their objects, and below each its token sequence.

    Real objects are red, noise objects white. Of the sequence every object is a line, `ymin xmin ymax xmax class` in
    coordinate bins; what weighs nothing in the loss is grey.

    Args:
        path: of the PNG; its folder is made.
        examples: list of `({"images" float32 (H, W, 3), "tokens"}, targets int (L,), weights float (L,))`, as the
            elements of an unbatched `training_dataset`.
        vocabulary: `Vocabulary`.
        names: sequence of class names.
        title: string above the sheet, or None. Default: None.
        columns: Integer, panels a row. Default: 4.

    Raises:
        InputError: When there is no example, or the PNG cannot be written.

    Example:
    ```python
    examples = dataset.unbatch().take(8).as_numpy_iterator()
    save_training_gallery("preview.png", list(examples), vocabulary, source.categories.names)
    ```
    """
    if not examples or columns < 1:
        raise InputError(
            "A gallery needs at least one example and one column. "
            f"Received: {len(examples)} examples, {columns} columns."
        )
    panels = [training_panel(x["images"], targets, weights, vocabulary, names) for x, targets, weights in examples]
    columns = min(columns, len(panels))
    heights = [max(len(panel) for panel in panels[at : at + columns]) for at in range(0, len(panels), columns)]
    tops = np.cumsum([_GAP + (2 * _TITLE if title else 0), *(height + _GAP for height in heights)]).tolist()
    sheet = Image.new("RGB", (columns * (_WIDTH + _GAP) + _GAP, tops[-1]), _PAPER)
    if title:
        line = " ".join(title.split())
        ImageDraw.Draw(sheet).text((_GAP, _GAP), line, fill=_GROUND, font=label_font(_TITLE))
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        sheet.paste(Image.fromarray(panel), (_GAP + column * (_WIDTH + _GAP), tops[row]))
    save_image(path, np.asarray(sheet))


def training_panel(image, targets, weights, vocabulary, names):
    """One training image with its objects, above its token sequence.

    Args:
        image: float `(H, W, 3)` in [0, 1].
        targets: int `(L,)`, the sequence.
        weights: float `(L,)`, of the targets.
        vocabulary: `Vocabulary`.
        names: sequence of class names.

    Returns:
        uint8 `(h, w, 3)`.
    """
    image = Image.fromarray(np.round(np.asarray(image) * 255).clip(0, 255).astype(np.uint8))
    scale = _WIDTH / image.width
    image = image.resize((_WIDTH, max(1, round(image.height * scale))), Image.Resampling.BICUBIC)
    objects = np.asarray(targets).reshape(-1, TOKENS_PER_OBJECT)  # (n, 5)
    weights = np.asarray(weights).reshape(-1, TOKENS_PER_OBJECT)  # (n, 5)

    draw = ImageDraw.Draw(image)
    boxes = (objects[:, :4] - vocabulary.coord_shift) / (vocabulary.num_bins - 1)  # (n, 4) rel_yxyx
    noise = objects[:, 4] == vocabulary.noise_token
    real = ~noise & (objects[:, 4] != END_TOKEN)
    for rows, colour, line in ((noise, _NOISE, 1), (real, _REAL, 3)):  # real ones on top
        for ymin, xmin, ymax, xmax in boxes[rows]:
            corners = (xmin * (image.width - 1), ymin * (image.height - 1))
            corners += (max(xmin, xmax) * (image.width - 1), max(ymin, ymax) * (image.height - 1))
            draw.rectangle(corners, outline=colour, width=line)

    text = _sequence_text(sequence_words(objects, weights, vocabulary, names))
    panel = Image.new("RGB", (_WIDTH, image.height + text.height), _GROUND)
    panel.paste(image, (0, 0))
    panel.paste(text, (0, image.height))
    return np.asarray(panel)


def sequence_words(targets, weights, vocabulary, names):
    """A token sequence as words, object by object.

    Args:
        targets: int `(n, 5)` or `(5·n,)`.
        weights: float, of that shape.
        vocabulary: `Vocabulary`.
        names: sequence of class names.

    Returns:
        List of objects, each a list of five `(word, weight)`: bins, and a class's name or "noise". The padding at the
        end is one object of one word: "end", and how many tokens follow.
    """
    targets = np.asarray(targets).reshape(-1, TOKENS_PER_OBJECT)
    weights = np.asarray(weights).reshape(-1, TOKENS_PER_OBJECT)
    lines = []
    for number, (tokens, of_tokens) in enumerate(zip(targets.tolist(), weights.tolist(), strict=True)):
        if tokens[0] == END_TOKEN:
            rest = (len(targets) - number) * TOKENS_PER_OBJECT - 1
            lines.append([(f"end, then {rest} tokens of padding", of_tokens[0])])
            break
        words = [str(token - vocabulary.coord_shift) for token in tokens[:4]] + [
            _class_word(tokens[4], vocabulary, names)
        ]
        lines.append(list(zip(words, of_tokens, strict=True)))
    return lines


def _class_word(token, vocabulary, names):
    if token == vocabulary.noise_token:
        return "noise"
    label = token - vocabulary.label_shift
    index = vocabulary.class_of_label[label] if 0 <= label < vocabulary.num_labels else -1
    return names[index] if 0 <= index < len(names) else f"token {token}"


def _sequence_text(lines):
    """The words as an image as wide as a panel, in as many columns as fit."""
    font = _mono_font()
    digits = max((len(word) for line in lines for word, _ in line[:4] if len(line) > 1), default=4)
    digits = max(digits, 4)  # as wide as "ymin"
    step = font.getlength("0")
    cell = round((4 * (digits + 1) + _LONGEST_NAME + 1) * step)
    columns = max(1, _WIDTH // cell)
    rows = -(-len(lines) // columns) + 1
    image = Image.new("RGB", (_WIDTH, rows * _LINE + _LINE // 2), _GROUND)
    draw = ImageDraw.Draw(image)
    head = [(word, 1.0) for word in ("ymin", "xmin", "ymax", "xmax", "class")]
    for column in range(min(columns, max(1, len(lines)))):
        _write_line(draw, font, column * cell + 4, 2, head, digits, step, _UNWEIGHTED)
    for number, line in enumerate(lines):
        column, row = divmod(number, rows - 1)
        real = len(line) == TOKENS_PER_OBJECT and line[4][0] != "noise"
        _write_line(
            draw, font, column * cell + 4, (row + 1) * _LINE + 2, line, digits, step, _REAL_INK if real else _INK
        )
    return image


def _write_line(draw, font, left, top, line, digits, step, ink):
    for place, (word, weight) in enumerate(line):
        name = place == 4 or len(line) == 1
        shown = word if not name or len(line) == 1 else _cut(word)
        shown = " ".join(shown.split()) if name else shown.rjust(digits)
        draw.text((left + place * (digits + 1) * step, top), shown, fill=ink if weight > 0 else _UNWEIGHTED, font=font)


def _cut(word):
    return word if len(word) <= _LONGEST_NAME else word[: _LONGEST_NAME - 1] + "…"


@functools.cache
def _mono_font():
    """DejaVu Sans Mono, which comes with Matplotlib: columns of figures line up."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf", _FONT)
