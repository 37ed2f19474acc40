"""The report on data as one HTML page."""

import warnings

from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.reports.dataset.plots import plot_split
from pix2seq_keras.reports.dataset.scan import thumbnail
from pix2seq_keras.reports.dataset.statistics import SIZES
from pix2seq_keras.reports.formatting import markup, share, short_path
from pix2seq_keras.reports.html_parts import figure, issues_by_kind, plot, table, write_parts

_MOST_GROUPS, _MOST_OF_GROUP = 12, 4  # of near-duplicates, shown as images


def write_page(report, path):
    """Writes the report as one HTML file.

    Args:
        report: `DataReport`, of `check_source`.
        path: the file.

    Raises:
        InputError: if it cannot be written.
    """
    obstacle = report.obstacle()
    verdict = "It can be trained on." if obstacle is None else f"It cannot be trained on: {obstacle}"
    parts = [
        f"<h1>{markup(report.source)}</h1>",
        f"<p class='verdict'>{markup(verdict, 4000)} {report.num_issues:,} issues.</p>",
        _overview(report),
        issues_by_kind(report.issues),
        _duplicates(report),
        *map(_split, report.splits),
    ]
    write_parts(path, report.source, parts)


def _overview(report):
    rows = []
    for split in report.splits:
        summary = split.summary
        sequences, counts = summary["sequences"], summary["objects_per_image"]
        rows.append(
            [
                markup(split.name),
                f"{summary['images']:,}",
                share(summary["images_with_objects"], summary["images"]),
                f"{summary['objects']:,}",
                f"{summary['crowds']:,}",
                f"{counts['mean']:.1f}, up to {counts['most']}",
                *(share(summary["object_sizes"][size], summary["objects"]) for size in SIZES),
                f"{sequences['longest_tokens']} tokens",
                share(sequences["images_beyond"], summary["images"]),
            ]
        )
    head = ["split", "images", "with objects", "objects", "crowds", "objects an image", *SIZES]
    return table([*head, "longest sequence", "beyond max_objects"], rows)


def _split(split):
    summary = split.summary
    sizes = summary["image_sizes"]
    classes = sorted(summary["classes"], key=lambda row: -row["objects"])
    keys = ("objects", "images", "most_on_a_image", *SIZES)
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
            issues_by_kind(split.issues, split.file),
            plot(drawn, "objects an image, their sizes, their classes"),
            f"<div>{gallery}</div>",
            f"<details><summary>{len(classes)} classes</summary>",
            table(
                ["class", "id", *(key.replace("_", " ") for key in keys)],
                [[markup(row["name"]), str(row["id"]), *(f"{row[key]:,}" for key in keys)] for row in classes],
            ),
            f"</details><details><summary>{len(sizes)} image sizes</summary>",
            table(["size", "images"], [[f"{s['width']}×{s['height']}", f"{s['images']:,}"] for s in sizes[:500]]),
            "</details>",
        ]
    )


def _duplicates(report):
    """Images of the first groups, those between splits first."""
    across = lambda group: len({image.split for image in group}) > 1
    groups = sorted(report.duplicates, key=lambda group: not across(group))
    if not groups:
        return ""
    sources = {split.name: split.source for split in report.splits}
    count = f"Groups of images that look the same: {len(groups):,}; between splits: {sum(map(across, groups)):,}."
    parts = [f"<h2>Near-duplicates</h2><p>{count}</p>"]
    for group in groups[:_MOST_GROUPS]:
        # One of each split before a second of any.
        first = {image.split: image for image in reversed(group)}
        chosen = [*first.values(), *(image for image in group if image not in first.values())]
        figures = "".join(_duplicate(sources[image.split], image) for image in chosen[:_MOST_OF_GROUP])
        parts.append(f"<div class='group'>{len(group):,} images<br>{figures}</div>")
    return "\n".join(parts)


def _duplicate(source, image):
    caption = f"{markup(image.split)}: {markup(short_path(image.label))}"
    try:
        return figure(thumbnail(source.read(image.index), source.categories.names), caption)
    except ImageError:  # it was readable a minute ago
        return figure(None, caption)
