"""The report on a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pix2seq_keras.reports.dataset.statistics import SIZES
from pix2seq_keras.reports.formatting import grouped, plain, share

_MOST_CLASSES = 20
_MOST_SHOWN = 3  # issues of a kind


def print_report(report, console=None):
    """Prints what a reader wants to know first; the JSON file and the page have the rest.

    Args:
        report: `DataReport`, of `check_source`.
        console: `rich.console.Console`. Defaults to standard output.
    """
    console = console or Console(highlight=False)
    if report.splits:
        _say(console, report.source, style="bold")
        console.print(_splits_table(report))
        _say(console, "Objects by class, and on how many images", style="bold")
        console.print(_classes_table(report))
    for split in report.splits:
        _print_issues(console, f"{split.name}: ", split.issues, split.file)
    _print_issues(console, "", report.issues, None)
    obstacle = report.obstacle()
    verdict = "It can be trained on." if obstacle is None else f"It cannot be trained on: {obstacle}"
    _say(console, f"{report.source}: {report.num_issues} issues. {verdict}", longest=2000)


def _splits_table(report):
    table = Table()
    table.add_column("")
    for split in report.splits:
        table.add_column(Text(plain(split.name, 40)), justify="right")
    for name, value in _ROWS.items():
        table.add_row(name, *(Text(value(split)) for split in report.splits))
    return table


def _classes_table(report):
    """Objects of each class in each split, the most frequent first."""
    table = Table()
    table.add_column("class")
    totals: dict[str, int] = {}
    by_split = []
    for split in report.splits:
        table.add_column(Text(plain(split.name, 40)), justify="right")
        by_split.append({row["name"]: row for row in split.summary["classes"]})
        for name, row in by_split[-1].items():
            totals[name] = totals.get(name, 0) + row["objects"]
    names = sorted(totals, key=lambda name: -totals[name])
    for name in names[:_MOST_CLASSES]:
        rows = [rows.get(name) for rows in by_split]
        cells = ["—" if row is None else f"{row['objects']:,} ({row['images']:,})" for row in rows]
        table.add_row(Text(plain(name, 40)), *cells)
    if len(names) > _MOST_CLASSES:
        table.add_row(f"… and {len(names) - _MOST_CLASSES} more classes")
    return table


def _print_issues(console, title, issues, file):
    for kind, found in grouped(issues).items():
        where = f" in {file}" if file else ""
        _say(console, f"{title}{kind}: {len(found)} ({found[0].severity}){where}", style="bold")
        for issue in found[:_MOST_SHOWN]:
            _say(console, f"  {issue.message if issue.where in issue.message else _both(issue)}")
        if len(found) > _MOST_SHOWN:
            _say(console, f"  … and {len(found) - _MOST_SHOWN} more: see --json or --html")


def _both(issue):
    return f"{issue.where}: {issue.message}"


def _say(console, text, style="", longest=500):
    # Text, not markup: "[red]" may well be the name of a class.
    console.print(Text(plain(text, longest), style=style), soft_wrap=True)


def _image_sizes(split):
    sizes = split.summary["image_sizes"]
    first = f"{sizes[0]['width']}×{sizes[0]['height']}" if sizes else "—"
    return first if len(sizes) < 2 else f"{first} and {len(sizes) - 1} more"


def _per_image(split):
    counts = split.summary["objects_per_image"]
    return f"{counts['mean']:.1f}, up to {counts['most']}"


def _size_row(size):
    return lambda split: share(split.summary["object_sizes"][size], split.summary["objects"])


_ROWS = {
    "images": lambda split: f"{split.summary['images']:,}",
    "with objects": lambda split: share(split.summary["images_with_objects"], split.summary["images"]),
    "image size": _image_sizes,
    "objects": lambda split: f"{split.summary['objects']:,}",
    "crowds, not trained on": lambda split: f"{split.summary['crowds']:,}",
    "objects an image": _per_image,
    **{f"{size} objects": _size_row(size) for size in SIZES},
    "longest sequence": lambda split: f"{split.summary['sequences']['longest_tokens']} tokens",
    "images beyond max_objects": lambda split: share(
        split.summary["sequences"]["images_beyond"], split.summary["images"]
    ),
    "issues": lambda split: f"{len(split.issues):,}",
}
