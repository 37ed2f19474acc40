"""A run's metrics.csv as an image of its curves."""

import csv
import math
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pix2seq_keras.errors import InputError
from pix2seq_keras.visualization.gallery import save_image

_POSITIONS = ("step", "epoch")  # the first that the file has is the horizontal axis
_PANELS = {
    "loss": ("loss", "val_loss"),
    "accuracy of tokens": ("accuracy", "val_accuracy"),
    "average precision": ("val_AP", "val_AP50", "val_AP75"),
    "learning rate": ("learning_rate",),
}
_LABELS = {"loss": "training", "accuracy": "training", "val_loss": "validation", "val_accuracy": "validation"}
_COLOURS = ("#0072B2", "#E69F00", "#009E73")  # told apart by people with any kind of colour vision


def save_curves(csv_path, png_path):
    """Draws loss, token accuracy, AP and learning rate, whichever the file has.

    Fields that are empty, NaN or no number are left out, so AP may stand in some rows only. Where a resumed
    training repeats a step, the later row counts.

    Args:
        csv_path: Path of a CSV with a header; columns "step" or "epoch", "loss", "val_loss", "accuracy",
            "val_accuracy", "val_AP", "val_AP50", "val_AP75", "learning_rate". Others are ignored.
        png_path: Path of the PNG to write; its folder is made.

    Raises:
        InputError: When the CSV is missing or has nothing to draw, or the PNG cannot be written.

    Example:
    ```python
    save_curves("run/metrics.csv", "run/curves.png")
    ```
    """
    rows = _read(Path(csv_path))
    position = next((name for name in _POSITIONS if any(name in row for row in rows)), None)
    panels = {}
    for title, columns in _PANELS.items():
        curves = {column: _curve(rows, column, position) for column in columns}
        if curves := {column: curve for column, curve in curves.items() if curve}:
            panels[title] = curves
    if not panels:
        wanted = ", ".join(column for columns in _PANELS.values() for column in columns)
        raise InputError(f"{csv_path} has no number to draw in any of the columns {wanted}.")

    figure = Figure(figsize=(4.6 * min(len(panels), 2), 3.2 * -(-len(panels) // 2)), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # its own canvas: nothing of pyplot's global state, no display
    axes = figure.subplots(-(-len(panels) // 2), min(len(panels), 2), squeeze=False).flatten()
    for axis, (title, curves) in zip(axes, panels.items(), strict=False):
        _draw_panel(axis, title, curves)
        axis.set_xlabel(position or "row")
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    canvas.draw()
    save_image(png_path, np.asarray(canvas.buffer_rgba())[..., :3])


def _read(path):
    """The rows as dictionaries of the finite numbers in them."""
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"The metrics {path} cannot be read: {error.strerror or error}.") from error
    if not rows:
        raise InputError(f"The metrics {path} are empty: there is no row to draw.")
    return [{name: number for name, text in row.items() if (number := _number(text)) is not None} for row in rows]


def _number(text):
    try:
        number = float(text)
    except (TypeError, ValueError):  # an empty field, or one that a killed training left half written
        return None
    return number if math.isfinite(number) else None


def _curve(rows, column, position):
    """`[(x, y), …]` by rising x."""
    points = {}
    for number, row in enumerate(rows, start=1):
        x = number if position is None else row.get(position)
        if x is not None and column in row:
            points[x] = row[column]
    return sorted(points.items())


def _draw_panel(axis, title, curves):
    for colour, (column, points) in zip(_COLOURS, curves.items(), strict=False):
        x, y = zip(*points, strict=True)
        marker = "o" if len(points) <= 40 else None  # a curve of one or few points must be seen
        label = _LABELS.get(column, column.removeprefix("val_"))
        axis.plot(x, y, color=colour, linewidth=1.5, marker=marker, markersize=3.5, label=label)
    axis.set_title(title, fontsize=11, loc="left")
    if title in ("accuracy of tokens", "average precision"):
        axis.set_ylim(0, 1)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axis.legend(frameon=False, fontsize=9)
