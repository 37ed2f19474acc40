"""Plots docs/images/learning-from-few.png from the .csv file next to it: `python docs/draw_curves.py`."""

import csv
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

HERE = Path(__file__).parent / "images"


def main():
    """Writes the PNG file."""
    with (HERE / "learning-from-few.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure((10, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = dict(zip(("short", "long"), figure.subplots(1, 2, sharey=True, width_ratios=(2, 3)), strict=True))
    for name in dict.fromkeys(row["run"] for row in rows):  # in the order of the file
        run = [row for row in rows if row["run"] == name]
        panel = panels[run[0]["panel"]]
        panel.plot([int(row["step"]) for row in run], [float(row["AP50"]) for row in run], marker="o", ms=3, label=name)
    for name, title in (("short", "1,500 steps at 120×160"), ("long", "6,000 or 10,000 steps at 144×192")):
        panels[name].set(title=title, xlabel="step", ylim=(-0.02, 0.8))
        panels[name].grid(alpha=0.3)
        panels[name].legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.06))
    panels["short"].set_ylabel("AP50 on val")
    canvas.print_png(HERE / "learning-from-few.png")


if __name__ == "__main__":
    main()
