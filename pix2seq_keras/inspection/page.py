"""The report on data as one HTML page."""

import warnings

from pix2seq_keras.data.pictures import PictureError
from pix2seq_keras.inspection.check import DataReport, Duplicate, SplitReport
from pix2seq_keras.inspection.looking import thumbnail
from pix2seq_keras.inspection.page_parts import figure, findings_by_kind, plot, table, write_parts
from pix2seq_keras.inspection.plots import plot_split
from pix2seq_keras.inspection.statistics import SIZES
from pix2seq_keras.inspection.wording import markup, share, short_path

_MOST_GROUPS, _MOST_OF_GROUP = 12, 4  # of near-duplicates, shown as pictures


def write_page(report: DataReport, path) -> None:
    """Writes the report as one HTML file.

    Args:
        report: of `check_source`.
        path: the file.

    Raises:
        InputError: if it cannot be written.
    """
    obstacle = report.obstacle()
    verdict = "It can be trained on." if obstacle is None else f"It cannot be trained on: {obstacle}"
    parts = [
        f"<h1>{markup(report.source)}</h1>",
        f"<p class='verdict'>{markup(verdict, 4000)} {report.num_findings:,} irregularities.</p>",
        _overview(report),
        findings_by_kind(report.findings),
        _duplicates(report),
        *map(_split, report.splits),
    ]
    write_parts(path, report.source, parts)


def _overview(report: DataReport) -> str:
    rows = []
    for split in report.splits:
        summary = split.summary
        sequences, counts = summary["sequences"], summary["objects_per_picture"]
        rows.append(
            [
                markup(split.name),
                f"{summary['pictures']:,}",
                share(summary["pictures_with_objects"], summary["pictures"]),
                f"{summary['objects']:,}",
                f"{summary['crowds']:,}",
                f"{counts['mean']:.1f}, up to {counts['most']}",
                *(share(summary["object_sizes"][size], summary["objects"]) for size in SIZES),
                f"{sequences['longest_tokens']} tokens",
                share(sequences["pictures_beyond"], summary["pictures"]),
            ]
        )
    head = ["split", "pictures", "with objects", "objects", "crowds", "objects a picture", *SIZES]
    return table([*head, "longest sequence", "beyond max_objects"], rows)


def _split(split: SplitReport) -> str:
    summary = split.summary
    sizes = summary["picture_sizes"]
    classes = sorted(summary["classes"], key=lambda row: -row["objects"])
    keys = ("objects", "pictures", "most_on_a_picture", *SIZES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the plots' font lacks
        drawn = plot_split(split)
    gallery = "".join(
        figure(look.thumbnail, markup(short_path(split.source.label(look.index))))
        for look in split.looks
        if look.thumbnail is not None
    )
    return "\n".join(
        [
            f"<h2>{markup(split.name)}</h2>",
            findings_by_kind(split.findings, split.file),
            plot(drawn, "objects a picture, their sizes, their classes"),
            f"<div>{gallery}</div>",
            f"<details><summary>{len(classes)} classes</summary>",
            table(
                ["class", "id", *(key.replace("_", " ") for key in keys)],
                [[markup(row["name"]), str(row["id"]), *(f"{row[key]:,}" for key in keys)] for row in classes],
            ),
            f"</details><details><summary>{len(sizes)} picture sizes</summary>",
            table(["size", "pictures"], [[f"{s['width']}×{s['height']}", f"{s['pictures']:,}"] for s in sizes[:500]]),
            "</details>",
        ]
    )


def _duplicates(report: DataReport) -> str:
    """Pictures of the first groups, those between splits first."""
    across = lambda group: len({picture.split for picture in group}) > 1
    groups = sorted(report.duplicates, key=lambda group: not across(group))
    if not groups:
        return ""
    sources = {split.name: split.source for split in report.splits}
    count = f"Groups of pictures that look the same: {len(groups):,}; between splits: {sum(map(across, groups)):,}."
    parts = [f"<h2>Near-duplicates</h2><p>{count}</p>"]
    for group in groups[:_MOST_GROUPS]:
        # One of each split before a second of any.
        first = {picture.split: picture for picture in reversed(group)}
        chosen = [*first.values(), *(picture for picture in group if picture not in first.values())]
        figures = "".join(_duplicate(sources[picture.split], picture) for picture in chosen[:_MOST_OF_GROUP])
        parts.append(f"<div class='group'>{len(group):,} pictures<br>{figures}</div>")
    return "\n".join(parts)


def _duplicate(source, picture: Duplicate) -> str:
    caption = f"{markup(picture.split)}: {markup(short_path(picture.label))}"
    try:
        return figure(thumbnail(source.read(picture.index), source.categories.names), caption)
    except PictureError:  # it was readable a minute ago
        return figure(None, caption)
