"""The parts of an HTML report: one file that contains all plots and images, without scripts.

Names of classes and files come from the data and may contain HTML, so all of them go through `escape_html`.
"""

import base64
import io

from PIL import Image

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.reports.formatting import escape_html, group_by_kind

_MAX_ISSUES = 2000  # of a kind
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1100px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:.8em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}h2{margin-top:2em;border-bottom:2px solid #0072B2}
td:first-child,.details td{overflow-wrap:anywhere}
figure{display:inline-block;margin:.3em;vertical-align:top;max-width:330px;font-size:12px;overflow-wrap:anywhere}
img{max-width:100%}.problem{color:#a33}.note{color:#666}li{overflow-wrap:anywhere}.verdict{font-size:1.1em}
.group{border:1px solid #ddd;margin:.5em 0;padding:.3em}details{margin:.3em 0}
.wide figure{max-width:530px}"""


def write_html_page(path, title, parts):
    """Writes an HTML page atomically.

    Args:
        path: str or path, the file to write.
        title: str, any text; it is escaped here.
        parts: list of str, the HTML of the body.

    Raises:
        InputError: if the file cannot be written.
    """
    head = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        # Even if HTML from the data were not escaped, no browser would run it or load anything for it.
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        f"<title>{escape_html(title)}</title><style>{_STYLE}</style></head><body>",
    ]
    with atomic_write(path) as file:
        file.write("\n".join([*head, *parts, "</body></html>\n"]))


def html_table(head, rows):
    """Formats a table.

    Args:
        head: list of str, the HTML of the header cells.
        rows: list of lists of str, the HTML of the cells.

    Returns:
        str, HTML.
    """
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>"


def html_figure(image, caption):
    """Formats an image with a caption.

    Args:
        image: uint8 array `(h, w, 3)`, or `None` for a caption alone.
        caption: str, the HTML of the caption.

    Returns:
        str, HTML.
    """
    element = ""
    if image is not None:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=82)
        element = f"<img alt='' src='{_uri(file.getvalue(), 'jpeg')}'>"
    return f"<figure>{element}<figcaption>{caption}</figcaption></figure>"


def html_plot(png, alt):
    """Formats a plot.

    Args:
        png: bytes of a PNG file.
        alt: str, a description of the plot.

    Returns:
        str, HTML.
    """
    return f"<img alt='{escape_html(alt)}' src='{_uri(png, 'png')}'>"


def html_issues(issues, annotation_file=None):
    """Formats issues as collapsed lists, one per kind, problems before notes.

    Args:
        issues: list of `Issue`.
        annotation_file: str, the file that contains the records named by the issues. Defaults to `None`, the issues
            name their files themselves.

    Returns:
        str, HTML.
    """
    parts = []
    where = f" in {escape_html(annotation_file)}" if annotation_file else ""
    for kind, group in group_by_kind(issues).items():
        items = "".join(
            f"<li>{escape_html(issue.where)}<br>{escape_html(issue.message, 1000)}</li>"
            for issue in group[:_MAX_ISSUES]
        )
        more = f"<p>… and {len(group) - _MAX_ISSUES:,} more: `pix2seq data check --json` writes all of them.</p>"
        parts.append(
            f"<details><summary class='{escape_html(group[0].severity)}'>{escape_html(kind)}: {len(group):,}{where}"
            f"</summary><ul>{items}</ul>{more if len(group) > _MAX_ISSUES else ''}</details>"
        )
    return "\n".join(parts)


def _uri(data, kind):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
