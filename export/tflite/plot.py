"""Draws the figure of compare.py: size, latency, and agreement with TensorFlow of each variant."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pix2seq_keras.visualization.gallery import save_image

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#999999")  # distinguishable with any kind of colour vision
LABELS = {"none": "float32", "float16": "float16", "dynamic": "dynamic\n(8 bits)"}


def save_plot(result, path):
    """Draws the size, latency, agreement and AP of each variant.

    Args:
        result: dictionary of `compare.compare`.
        path: path of the PNG.

    Raises:
        InputError: if the file cannot be written.
    """
    figure = Figure(figsize=(11, 3.4), dpi=120, layout="constrained")
    canvas = FigureCanvasAgg(figure)  # without pyplot: no global state, no display needed
    size, latency, same, score = figure.subplots(1, 4, width_ratios=(3, 5, 3, 3))
    variants, saved = result["variants"], result["saved_model"]
    names = [LABELS[name] for name in variants]
    _bars(size, names, [variant["size_mb"] for variant in variants.values()], "{:.3g}")
    size.set_title("size, MB", fontsize=10, loc="left")

    latencies = [
        [variant["latency_ms"][index] for variant in variants.values()] for index in range(len(result["threads"]))
    ]
    width, positions = 0.38, np.arange(len(names))
    for index, (threads, values) in enumerate(zip(result["threads"], latencies, strict=True)):
        label = f"{threads} thread{'s' * (threads > 1)}"
        bars = latency.bar(positions + (index - 0.5) * width, values, width, color=COLOURS[index], label=label)
        latency.bar_label(bars, [f"{value:.3g}" for value in values], fontsize=8)
    bars = latency.bar([len(names)], [saved["latency_ms"]], width, color=COLOURS[3], label="TensorFlow")
    latency.bar_label(bars, [f"{saved['latency_ms']:.3g}"], fontsize=8)
    latency.set_xticks([*positions, len(names)], [*names, "SavedModel"], fontsize=8)
    latency.set_title("latency of one image, ms", fontsize=10, loc="left")
    latency.legend(frameon=False, fontsize=8, loc="upper left")

    _bars(same, names, [100 * variant["same_objects"] for variant in variants.values()], "{:.1f}", inside=True)
    same.set_ylim(0, 112)
    same.set_title("objects as in TensorFlow, %", fontsize=10, loc="left")

    _bars(score, names, [variant["AP"] or 0.0 for variant in variants.values()], "{:.3f}", inside=True)
    score.axhline(result["tensorflow"]["AP"] or 0.0, color=COLOURS[3], linestyle="--", linewidth=1, zorder=0)
    score.set_ylim(0, max(0.1, 1.15 * (result["tensorflow"]["AP"] or 0.0)))
    score.set_title("AP (dashes: TensorFlow)", fontsize=10, loc="left")
    for axis in (size, latency, same, score):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    figure.suptitle(
        f"{result['model']} on {result['num_images']} images of {result['data']} {result['split']}, "
        f"{result['sampler']}, {result['machine']['processors']} cores",
        fontsize=10,
    )
    canvas.draw()
    save_image(path, np.asarray(canvas.buffer_rgba())[..., :3])


def _bars(axis, names, values, template, inside=False):
    bars = axis.bar(range(len(names)), values, 0.6, color=COLOURS[0])
    style = {"label_type": "center", "color": "white"} if inside else {}
    axis.bar_label(bars, [template.format(value) for value in values], fontsize=8, **style)
    axis.set_xticks(range(len(names)), names)
