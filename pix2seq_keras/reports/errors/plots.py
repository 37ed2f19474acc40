"""Plots precision against recall for the report on an evaluation."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pix2seq_keras.visualization import class_colour
from pix2seq_keras.visualization.fonts import class_label, matplotlib_families

MAX_CLASSES = 8


def plot_curves(classes):
    """Plots precision against recall at IoU 0.5 of the most frequent classes, and the points of their best F1.

    Args:
        classes: list of `ClassScores` of all classes.

    Returns:
        bytes of a PNG file.
    """
    figure = Figure(figsize=(7.5, 4.2), dpi=90, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # no display and no global state of pyplot
    axis = figure.add_subplot()
    plotted = most_frequent(classes)
    for scores in plotted:
        colour = np.array(class_colour(scores.class_)) / 255  # the same as on the images
        # The hair space keeps labels with a leading underscore, which Matplotlib would leave out of the legend.
        label = f"\u200a{class_label(scores.name, scores.class_, 24)}: {scores.ap50:.3f}"
        axis.plot(np.linspace(0, 1, len(scores.curve)), scores.curve, color=colour, linewidth=1.6, label=label)
        if scores.point.has_own_threshold:
            axis.plot(scores.point.recall, scores.point.precision, "o", color=colour, markersize=5)
    axis.set(xlim=(0, 1.01), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    if plotted:
        legend = axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1), title="class, AP50")
        for text in legend.get_texts():
            text.set_parse_math(False)  # otherwise "$" in a name starts a formula
            text.set_fontfamily(matplotlib_families(text.get_text()))
    file = io.BytesIO()
    canvas.print_png(file)
    return file.getvalue()


def most_frequent(classes):
    """Selects the classes to plot; classes without objects have no curve.

    Args:
        classes: list of `ClassScores`.

    Returns:
        List of at most `MAX_CLASSES` `ClassScores`, the most frequent first.
    """
    with_objects = sorted((one for one in classes if one.num_objects), key=lambda one: -one.num_objects)
    return with_objects[:MAX_CLASSES]
