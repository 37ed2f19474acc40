"""The plots of the report on data."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pix2seq_keras.evaluation.object_sizes import SIZE_LIMITS
from pix2seq_keras.visualization.fonts import class_label, matplotlib_families

_COLOUR, _LIMIT = "#0072B2", "#D55E00"
_MAX_CLASSES, _MAX_BARS = 30, 250


def plot_split(split):
    """Plots objects per image, object sizes and objects by class of one split.

    Args:
        split: `SplitReport`.

    Returns:
        bytes of a PNG file.
    """
    names = split.source.categories.names
    order = sorted(range(len(names)), key=lambda index: -split.statistics["classes"][index]["objects"])[:_MAX_CLASSES]
    classes = [(class_label(names[index], index, 24), split.statistics["classes"][index]["objects"]) for index in order]
    figure = Figure(figsize=(11, 3.0 + 0.17 * max(len(classes), 8)), dpi=90, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # no display and no global state of pyplot
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1))
    _objects_per_image(figure.add_subplot(grid[0, 0]), split)
    _object_sizes(figure.add_subplot(grid[1, 0]), split)
    _by_class(figure.add_subplot(grid[:, 1]), classes, len(split.statistics["classes"]))
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    canvas.print_png(file)
    return file.getvalue()


def _objects_per_image(axis, split):
    histogram = split.statistics["objects_per_image"]["histogram"]
    limit = split.statistics["sequences"]["max_objects"]
    width = -(-len(histogram) // _MAX_BARS) or 1  # counts in one bar: Matplotlib takes 1 ms a bar
    starts = np.arange(0, len(histogram), width)
    images = np.add.reduceat(histogram, starts) if len(histogram) else []
    places = starts + (width - 1) / 2
    axis.bar(places, images, width=width, color=_COLOUR, edgecolor="white", linewidth=0.3)
    if limit <= 1.5 * len(histogram):
        axis.axvline(limit + 0.5, color=_LIMIT, linestyle="--", label=f"max_objects={limit}")
        axis.legend(frameon=False, fontsize=8)
    axis.set_title("objects per image", loc="left", fontsize=10)
    axis.set_ylabel("images", fontsize=9)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))


def _object_sizes(axis, split):
    sides = np.sqrt(np.concatenate([np.zeros(0), *(image.areas for image in split.images)]))  # (objects,) pixels
    axis.set_title("object size, √area in pixels", loc="left", fontsize=10)
    axis.set_ylabel("objects", fontsize=9)
    if not len(sides):
        return
    low, high = np.log10(max(sides.min(), 0.5)), np.log10(max(sides.max(), 1.0))
    axis.hist(sides, bins=np.logspace(low - 0.01, high + 0.01, 40), color=_COLOUR, edgecolor="white", linewidth=0.3)
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter("{x:g}")
    for limit in SIZE_LIMITS:
        axis.axvline(limit, color=_LIMIT, linestyle="--")


def _by_class(axis, classes, count):
    places = np.arange(len(classes))
    axis.barh(places, [objects for _, objects in classes], color=_COLOUR)
    axis.set_yticks(places)
    labels = axis.set_yticklabels([name for name, _ in classes], fontsize=8)
    for label, (name, _) in zip(labels, classes, strict=True):
        label.set_parse_math(False)  # otherwise "$" in a name starts a formula
        label.set_fontfamily(matplotlib_families(name))
    axis.invert_yaxis()
    more = f", the {len(classes)} most frequent of {count}" if count > len(classes) else ""
    axis.set_title(f"objects by class{more}", loc="left", fontsize=10)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
