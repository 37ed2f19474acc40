"""The report on a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pix2seq_keras.inspection.check import DataReport, SplitReport
from pix2seq_keras.inspection.statistics import SIZES
from pix2seq_keras.inspection.wording import grouped, plain, share

_MOST_CLASSES = 20
_MOST_SHOWN = 3  # findings of a kind


def print_report(report: DataReport, console: Console | None = None) -> None:
    """Prints what a reader wants to know first; the JSON file and the page have the rest.

    Args:
        report: of `check_source`.
        console: `rich.console.Console`. Defaults to standard output.
    """
    console = console or Console(highlight=False)
    if report.splits:
        _say(console, report.source, style="bold")
        console.print(_splits_table(report))
        _say(console, "Objects by class, and on how many pictures", style="bold")
        console.print(_classes_table(report))
    for split in report.splits:
        _print_findings(console, f"{split.name}: ", split.findings, split.file)
    _print_findings(console, "", report.findings, None)
    obstacle = report.obstacle()
    verdict = "It can be trained on." if obstacle is None else f"It cannot be trained on: {obstacle}"
    _say(console, f"{report.source}: {report.num_findings} irregularities. {verdict}", longest=2000)


def _splits_table(report: DataReport) -> Table:
    table = Table()
    table.add_column("")
    for split in report.splits:
        table.add_column(Text(plain(split.name, 40)), justify="right")
    for name, value in _ROWS.items():
        table.add_row(name, *(Text(value(split)) for split in report.splits))
    return table


def _classes_table(report: DataReport) -> Table:
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
        cells = ["—" if row is None else f"{row['objects']:,} ({row['pictures']:,})" for row in rows]
        table.add_row(Text(plain(name, 40)), *cells)
    if len(names) > _MOST_CLASSES:
        table.add_row(f"… and {len(names) - _MOST_CLASSES} more classes")
    return table


def _print_findings(console: Console, title: str, findings, file: str | None) -> None:
    for kind, found in grouped(findings).items():
        where = f" in {file}" if file else ""
        _say(console, f"{title}{kind}: {len(found)} ({found[0].severity}){where}", style="bold")
        for finding in found[:_MOST_SHOWN]:
            _say(console, f"  {finding.message if finding.where in finding.message else _both(finding)}")
        if len(found) > _MOST_SHOWN:
            _say(console, f"  … and {len(found) - _MOST_SHOWN} more: see --json or --html")


def _both(finding) -> str:
    return f"{finding.where}: {finding.message}"


def _say(console: Console, text: str, style: str = "", longest: int = 500) -> None:
    # Text, not markup: "[red]" may well be the name of a class.
    console.print(Text(plain(text, longest), style=style), soft_wrap=True)


def _picture_sizes(split: SplitReport) -> str:
    sizes = split.summary["picture_sizes"]
    first = f"{sizes[0]['width']}×{sizes[0]['height']}" if sizes else "—"
    return first if len(sizes) < 2 else f"{first} and {len(sizes) - 1} more"


def _per_picture(split: SplitReport) -> str:
    counts = split.summary["objects_per_picture"]
    return f"{counts['mean']:.1f}, up to {counts['most']}"


def _size_row(size: str):
    return lambda split: share(split.summary["object_sizes"][size], split.summary["objects"])


_ROWS = {
    "pictures": lambda split: f"{split.summary['pictures']:,}",
    "with objects": lambda split: share(split.summary["pictures_with_objects"], split.summary["pictures"]),
    "picture size": _picture_sizes,
    "objects": lambda split: f"{split.summary['objects']:,}",
    "crowds, not trained on": lambda split: f"{split.summary['crowds']:,}",
    "objects a picture": _per_picture,
    **{f"{size} objects": _size_row(size) for size in SIZES},
    "longest sequence": lambda split: f"{split.summary['sequences']['longest_tokens']} tokens",
    "pictures beyond max_objects": lambda split: share(
        split.summary["sequences"]["pictures_beyond"], split.summary["pictures"]
    ),
    "irregularities": lambda split: f"{len(split.findings):,}",
}
