"""Prints the report on data to a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pix2seq_keras.evaluation.object_sizes import SIZES
from pix2seq_keras.reports.formatting import count_and_percent, group_by_kind
from pix2seq_keras.terminal import printable

_MAX_CLASSES = 20
_MAX_ISSUES = 3  # of a kind


def print_data_report(report, console=None):
    """Prints the most important parts of the report; the JSON file and the HTML page contain everything.

    Args:
        report: `DataReport` of `check_source`.
        console: `rich.console.Console` to print to. Defaults to `None`, standard output.

    Example:
        >>> print_data_report(check_source("coco:data/bccd"))
    """
    console = console or Console(highlight=False)
    if report.splits:
        _print(console, report.source, style="bold")
        console.print(_splits_table(report))
        _print(console, "Objects by class (number of images with the class)", style="bold")
        console.print(_classes_table(report))
    for split in report.splits:
        _print_issues(console, f"{split.name}: ", split.issues, split.annotation_file)
    _print_issues(console, "", report.issues, None)
    _print(console, f"{report.source}: {report.num_issues} issues. {verdict(report)}", max_length=2000)


def verdict(report):
    """States whether the data can be used for training.

    Args:
        report: `DataReport`.

    Returns:
        str, with the reason if the data cannot be used.
    """
    blocking_issue = report.blocking_issue()
    if blocking_issue is None:
        return "The data can be used for training."
    return f"The data cannot be used for training: {blocking_issue}"


def _splits_table(report):
    table = Table()
    table.add_column("")
    for split in report.splits:
        table.add_column(Text(printable(split.name, 40)), justify="right")
    for name, value in _ROWS.items():
        table.add_row(name, *(Text(value(split)) for split in report.splits))
    return table


def _classes_table(report):
    """Objects of each class in each split, the most frequent first."""
    table = Table()
    table.add_column("class")
    totals = {}  # name -> number of objects in all splits
    by_split = []
    for split in report.splits:
        table.add_column(Text(printable(split.name, 40)), justify="right")
        by_split.append({row["name"]: row for row in split.statistics["classes"]})
        for name, row in by_split[-1].items():
            totals[name] = totals.get(name, 0) + row["objects"]
    names = sorted(totals, key=lambda name: -totals[name])
    for name in names[:_MAX_CLASSES]:
        rows = [rows.get(name) for rows in by_split]
        cells = ["—" if row is None else f"{row['objects']:,} ({row['images']:,})" for row in rows]
        table.add_row(Text(printable(name, 40)), *cells)
    if len(names) > _MAX_CLASSES:
        table.add_row(f"… and {len(names) - _MAX_CLASSES} more classes")
    return table


def _print_issues(console, title, issues, annotation_file):
    where = f" in {annotation_file}" if annotation_file else ""
    for kind, group in group_by_kind(issues).items():
        _print(console, f"{title}{kind}: {len(group)} ({group[0].severity}){where}", style="bold")
        for issue in group[:_MAX_ISSUES]:
            text = issue.message if issue.where in issue.message else f"{issue.where}: {issue.message}"
            _print(console, f"  {text}")
        if len(group) > _MAX_ISSUES:
            _print(console, f"  … and {len(group) - _MAX_ISSUES} more: see --json or --html")


def _print(console, text, style="", max_length=500):
    # As Text, because rich would take "[red]" in the name of a class for a colour.
    console.print(Text(printable(text, max_length), style=style), soft_wrap=True)


def _image_sizes(split):
    sizes = split.statistics["image_sizes"]
    first = f"{sizes[0]['width']}×{sizes[0]['height']}" if sizes else "—"
    return first if len(sizes) < 2 else f"{first} and {len(sizes) - 1} more"


def _per_image(split):
    counts = split.statistics["objects_per_image"]
    return f"{counts['mean']:.1f}, up to {counts['max']}"


def _size_row(size):
    return lambda split: count_and_percent(split.statistics["object_sizes"][size], split.statistics["objects"])


_ROWS = {
    "images": lambda split: f"{split.statistics['images']:,}",
    "with objects": lambda split: count_and_percent(
        split.statistics["images_with_objects"], split.statistics["images"]
    ),
    "image size": _image_sizes,
    "objects": lambda split: f"{split.statistics['objects']:,}",
    "crowds, not used in training": lambda split: f"{split.statistics['crowds']:,}",
    "objects per image": _per_image,
    **{f"{size} objects": _size_row(size) for size in SIZES},
    "longest sequence": lambda split: f"{split.statistics['sequences']['longest_tokens']} tokens",
    "images over max_objects": lambda split: count_and_percent(
        split.statistics["sequences"]["images_over_limit"], split.statistics["images"]
    ),
    "issues": lambda split: f"{len(split.issues):,}",
}
