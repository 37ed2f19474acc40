"""The report as one HTML page with nothing outside it: plots and thumbnails are inside, there are no scripts.

Names of classes and files are somebody else's: everything from the data goes through `markup`.
"""

import base64
import io
import warnings

from PIL import Image

from pix2seq_keras.data.pictures import PictureError
from pix2seq_keras.inspection.check import DataReport, Duplicate, SplitReport
from pix2seq_keras.inspection.looking import thumbnail
from pix2seq_keras.inspection.plots import plot_split
from pix2seq_keras.inspection.statistics import SIZES
from pix2seq_keras.inspection.wording import grouped, markup, share, short_path
from pix2seq_keras.writing import replacing

_MOST_GROUPS, _MOST_OF_GROUP = 12, 4  # of near-duplicates, shown as pictures
_MOST_FINDINGS = 2000  # of a kind; the JSON file has them all
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1100px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:.8em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}h2{margin-top:2em;border-bottom:2px solid #0072B2}
figure{display:inline-block;margin:.3em;vertical-align:top;max-width:330px;font-size:12px;overflow-wrap:anywhere}
img{max-width:100%}.problem{color:#a33}.note{color:#666}li{overflow-wrap:anywhere}.verdict{font-size:1.1em}
.group{border:1px solid #ddd;margin:.5em 0;padding:.3em}details{margin:.3em 0}"""


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
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        # Should anything from the data get through as markup after all: no browser runs or fetches it.
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        f"<title>{markup(report.source)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{markup(report.source)}</h1>",
        f"<p class='verdict'>{markup(verdict, 4000)} {report.num_findings:,} irregularities.</p>",
        _overview(report),
        _findings(report.findings, None),
        _duplicates(report),
        *map(_split, report.splits),
        "</body></html>\n",
    ]
    with replacing(path) as file:
        file.write("\n".join(parts))


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
    return _table([*head, "longest sequence", "beyond max_objects"], rows)


def _split(split: SplitReport) -> str:
    summary = split.summary
    sizes = summary["picture_sizes"]
    classes = sorted(summary["classes"], key=lambda row: -row["objects"])
    keys = ("objects", "pictures", "most_on_a_picture", *SIZES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the plots' font lacks
        plot = plot_split(split)
    gallery = "".join(
        _figure(look.thumbnail, markup(short_path(split.source.label(look.index))))
        for look in split.looks
        if look.thumbnail is not None
    )
    return "\n".join(
        [
            f"<h2>{markup(split.name)}</h2>",
            _findings(split.findings, split.file),
            f"<img alt='objects a picture, their sizes, their classes' src='{_uri(plot, 'png')}'>",
            f"<div>{gallery}</div>",
            f"<details><summary>{len(classes)} classes</summary>",
            _table(
                ["class", "id", *(key.replace("_", " ") for key in keys)],
                [[markup(row["name"]), str(row["id"]), *(f"{row[key]:,}" for key in keys)] for row in classes],
            ),
            f"</details><details><summary>{len(sizes)} picture sizes</summary>",
            _table(["size", "pictures"], [[f"{s['width']}×{s['height']}", f"{s['pictures']:,}"] for s in sizes[:500]]),
            "</details>",
        ]
    )


def _findings(findings, file: str | None) -> str:
    parts = []
    for kind, found in grouped(findings).items():
        where = f" in {markup(file)}" if file else ""
        items = "".join(
            f"<li>{markup(one.where)}<br>{markup(one.message, 1000)}</li>" for one in found[:_MOST_FINDINGS]
        )
        more = f"<p>… and {len(found) - _MOST_FINDINGS:,} more: see the JSON file.</p>"
        parts.append(
            f"<details><summary class='{markup(found[0].severity)}'>{markup(kind)}: {len(found):,}{where}</summary>"
            f"<ul>{items}</ul>{more if len(found) > _MOST_FINDINGS else ''}</details>"
        )
    return "\n".join(parts)


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
        return _figure(thumbnail(source.read(picture.index), source.categories.names), caption)
    except PictureError:  # it was readable a minute ago
        return f"<figure>{caption}</figure>"


def _figure(pixels, caption: str) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=82)
    return f"<figure><img alt='' src='{_uri(file.getvalue(), 'jpeg')}'><figcaption>{caption}</figcaption></figure>"


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _table(head, rows) -> str:
    """A table of cells that are markup already."""
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>"
