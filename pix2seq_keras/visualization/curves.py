"""Plots the training curves of a run from its metrics.csv."""

import csv
import math
from pathlib import Path

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.visualization.gallery import save_image

_X_COLUMNS = ("step", "epoch")  # the first one in the file is the horizontal axis
_PANELS = {
    "loss": ("loss", "val_loss"),
    "token accuracy": ("accuracy", "val_accuracy"),
    "average precision": ("val_AP", "val_AP50", "val_AP75"),
    "learning rate": ("learning_rate",),
}
_LABELS = {"loss": "training", "accuracy": "training", "val_loss": "validation", "val_accuracy": "validation"}
_COLOURS = ("#0072B2", "#E69F00", "#009E73")  # distinguishable with any kind of colour vision


def save_curves(csv_path, png_path):
    """Plots loss, token accuracy, AP and learning rate, each if the file has it.

    Fields that are empty, NaN or not a number are skipped, so only some rows need an AP. If a resumed training repeats
    a step, the later row is used.

    Args:
        csv_path: str or path, a CSV file with a header and the columns "step" or "epoch", "loss", "val_loss",
            "accuracy", "val_accuracy", "val_AP", "val_AP50", "val_AP75" and "learning_rate". All are optional; others
            are ignored.
        png_path: str or path, the PNG file to write; its folder is created.

    Raises:
        InputError: if the CSV file is missing or has nothing to plot, or if the PNG file cannot be written.

    Example:
        >>> save_curves("run/metrics.csv", "run/curves.png")
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = _read(Path(csv_path))
    x_column = next((name for name in _X_COLUMNS if any(name in row for row in rows)), None)
    panels = {}
    for title, columns in _PANELS.items():
        curves = {column: _curve(rows, column, x_column) for column in columns}
        if curves := {column: curve for column, curve in curves.items() if curve}:
            panels[title] = curves
    if not panels:
        known = ", ".join(column for columns in _PANELS.values() for column in columns)
        raise InputError(f"{csv_path} must have a number in at least one of the columns {known}.")

    figure = Figure(figsize=(4.6 * min(len(panels), 2), 3.2 * -(-len(panels) // 2)), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # no display and no global state of pyplot
    axes = figure.subplots(-(-len(panels) // 2), min(len(panels), 2), squeeze=False).flatten()
    for axis, (title, curves) in zip(axes, panels.items(), strict=False):
        _draw_panel(axis, title, curves)
        axis.set_xlabel(x_column or "row")
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    canvas.draw()
    save_image(png_path, np.asarray(canvas.buffer_rgba())[..., :3])


def _read(path):
    """Reads the rows as dictionaries of their finite numbers."""
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"The metrics {path} cannot be read: {error.strerror or error}.") from error
    if not rows:
        raise InputError(f"The metrics {path} are empty: there is no row to plot.")
    return [{name: number for name, text in row.items() if (number := _number(text)) is not None} for row in rows]


def _number(text):
    try:
        number = float(text)
    except (TypeError, ValueError):  # an empty field, or one that a killed training wrote in part
        return None
    return number if math.isfinite(number) else None


def _curve(rows, column, x_column):
    """The points `[(x, y), …]` of a column, sorted by x."""
    points = {}
    for number, row in enumerate(rows, start=1):
        x = number if x_column is None else row.get(x_column)
        if x is not None and column in row:
            points[x] = row[column]
    return sorted(points.items())


def _draw_panel(axis, title, curves):
    for colour, (column, points) in zip(_COLOURS, curves.items(), strict=False):
        x, y = zip(*points, strict=True)
        marker = "o" if len(points) <= 40 else None  # makes a curve of a single point visible
        label = _LABELS.get(column, column.removeprefix("val_"))
        axis.plot(x, y, color=colour, linewidth=1.5, marker=marker, markersize=3.5, label=label)
    axis.set_title(title, fontsize=11, loc="left")
    if title in ("token accuracy", "average precision"):
        axis.set_ylim(0, 1)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axis.legend(frameon=False, fontsize=9)
