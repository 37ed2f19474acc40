"""Precision against recall, as PNG bytes."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pix2seq_keras.reports.formatting import plain
from pix2seq_keras.visualization import class_colour

MOST_CLASSES = 8


def plot_curves(classes):
    """Precision against recall at IoU 0.5 of the most frequent classes, and where their F1 is best.

    Args:
        classes: list of `ClassScores`, all of them.

    Returns:
        The bytes of a PNG.
    """
    figure = Figure(figsize=(7.5, 4.2), dpi=90, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # its own canvas: nothing of pyplot's global state, no display
    axis = figure.add_subplot()
    shown = most_frequent(classes)
    for one in shown:
        colour = np.array(class_colour(one.class_)) / 255  # as on the images
        label = f"{plain(one.name, 24)}: {one.ap50:.3f}"
        # A leading underscore would hide it from the legend.
        axis.plot(np.linspace(0, 1, len(one.curve)), one.curve, color=colour, linewidth=1.6, label=f"\u200a{label}")
        if one.point.is_own:
            axis.plot(one.point.recall, one.point.precision, "o", color=colour, markersize=5)
    axis.set(xlim=(0, 1.01), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    if shown:
        legend = axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), title="class, AP50")
        for text in legend.get_texts():
            text.set_parse_math(False)  # "$" in a name would start a formula
    file = io.BytesIO()
    canvas.print_png(file)
    return file.getvalue()


def most_frequent(classes):
    """The classes a plot has room for; those without objects have no curve."""
    there = sorted((one for one in classes if one.objects), key=lambda one: -one.objects)
    return there[:MOST_CLASSES]
