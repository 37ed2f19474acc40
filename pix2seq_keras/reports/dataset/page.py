"""Writes the report on data as one HTML page."""

import warnings

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.evaluation.object_sizes import SIZES
from pix2seq_keras.reports.dataset.plots import plot_split
from pix2seq_keras.reports.dataset.scan import draw_thumbnail
from pix2seq_keras.reports.dataset.table import verdict
from pix2seq_keras.reports.formatting import count_and_percent, escape_html, shorten_path
from pix2seq_keras.reports.html_parts import html_figure, html_issues, html_plot, html_table, write_html_page

_MAX_GROUPS, _MAX_IMAGES_OF_GROUP = 12, 4  # of near-duplicates


def write_data_page(report, path):
    """Writes the report as one HTML file.

    Args:
        report: `DataReport` of `check_source`.
        path: str or path, the file to write.

    Raises:
        InputError: if the file cannot be written.

    Example:
        >>> write_data_page(check_source("coco:data/bccd"), "report.html")
    """
    parts = [
        f"<h1>{escape_html(report.source)}</h1>",
        f"<p class='verdict'>{escape_html(verdict(report), 4000)} {report.num_issues:,} issues.</p>",
        _overview(report),
        html_issues(report.issues),
        _duplicates_section(report),
        *map(_split_section, report.splits),
    ]
    write_html_page(path, report.source, parts)


def _overview(report):
    rows = []
    for split in report.splits:
        statistics = split.statistics
        sequences, counts = statistics["sequences"], statistics["objects_per_image"]
        rows.append(
            [
                escape_html(split.name),
                f"{statistics['images']:,}",
                count_and_percent(statistics["images_with_objects"], statistics["images"]),
                f"{statistics['objects']:,}",
                f"{statistics['crowds']:,}",
                f"{counts['mean']:.1f}, up to {counts['max']}",
                *(count_and_percent(statistics["object_sizes"][size], statistics["objects"]) for size in SIZES),
                f"{sequences['longest_tokens']} tokens",
                count_and_percent(sequences["images_over_limit"], statistics["images"]),
            ]
        )
    head = ["split", "images", "with objects", "objects", "crowds", "objects per image", *SIZES]
    return html_table([*head, "longest sequence", "images over max_objects"], rows)


def _split_section(split):
    statistics = split.statistics
    sizes = statistics["image_sizes"]
    classes = sorted(statistics["classes"], key=lambda row: -row["objects"])
    keys = ("objects", "images", "max_per_image", *SIZES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # characters that the font of the plots lacks
        png = plot_split(split)
    gallery = "".join(
        html_figure(image.thumbnail, escape_html(shorten_path(split.source.label(image.index))))
        for image in split.images
        if image.thumbnail is not None
    )
    return "\n".join(
        [
            f"<h2>{escape_html(split.name)}</h2>",
            html_issues(split.issues, split.annotation_file),
            html_plot(png, "objects per image, object sizes, objects by class"),
            f"<div>{gallery}</div>",
            f"<details><summary>{len(classes)} classes</summary>",
            html_table(
                ["class", "id", *(key.replace("_", " ") for key in keys)],
                [[escape_html(row["name"]), str(row["id"]), *(f"{row[key]:,}" for key in keys)] for row in classes],
            ),
            f"</details><details><summary>{len(sizes)} image sizes</summary>",
            html_table(["size", "images"], [[f"{s['width']}×{s['height']}", f"{s['images']:,}"] for s in sizes[:500]]),
            "</details>",
        ]
    )


def _duplicates_section(report):
    """The near-duplicates as images, groups between splits first."""
    between_splits = lambda group: len({image.split for image in group}) > 1
    groups = sorted(report.duplicates, key=lambda group: not between_splits(group))
    if not groups:
        return ""
    sources = {split.name: split.source for split in report.splits}
    count = f"Groups of near-duplicate images: {len(groups):,}; between splits: {sum(map(between_splits, groups)):,}."
    parts = [f"<h2>Near-duplicates</h2><p>{count}</p>"]
    for group in groups[:_MAX_GROUPS]:
        # First one image of each split, then the others.
        first = {image.split: image for image in reversed(group)}
        chosen = [*first.values(), *(image for image in group if image not in first.values())]
        figures = "".join(_duplicate_figure(sources[image.split], image) for image in chosen[:_MAX_IMAGES_OF_GROUP])
        parts.append(f"<div class='group'>{len(group):,} images<br>{figures}</div>")
    return "\n".join(parts)


def _duplicate_figure(source, image):
    caption = f"{escape_html(image.split)}: {escape_html(shorten_path(image.label))}"
    try:
        return html_figure(draw_thumbnail(source.read(image.index), source.categories.names), caption)
    except ImageError:  # the file has changed since it was scanned
        return html_figure(None, caption)
