"""What pages are made of: one HTML file with nothing outside it; plots and images are inside, there are no scripts.

Names of classes and files are somebody else's: everything from the data goes through `markup`.
"""

import base64
import io

from PIL import Image

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.reports.formatting import grouped, markup

_MOST_FINDINGS = 2000  # of a kind
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1100px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:.8em 0}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}h2{margin-top:2em;border-bottom:2px solid #0072B2}
td:first-child,.about td{overflow-wrap:anywhere}
figure{display:inline-block;margin:.3em;vertical-align:top;max-width:330px;font-size:12px;overflow-wrap:anywhere}
img{max-width:100%}.problem{color:#a33}.note{color:#666}li{overflow-wrap:anywhere}.verdict{font-size:1.1em}
.group{border:1px solid #ddd;margin:.5em 0;padding:.3em}details{margin:.3em 0}
.wide figure{max-width:530px}"""


def write_parts(path, title, parts):
    """Writes a page whole or not at all.

    Args:
        path: the file.
        title: any text.
        parts: strings of markup, what the body holds.

    Raises:
        InputError: if it cannot be written.
    """
    head = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        # Should anything from the data get through as markup after all: no browser runs or fetches it.
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        f"<title>{markup(title)}</title><style>{_STYLE}</style></head><body>",
    ]
    with atomic_write(path) as file:
        file.write("\n".join([*head, *parts, "</body></html>\n"]))


def table(head, rows):
    """A table of cells that are markup already."""
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>"


def figure(pixels, caption):
    """An image, uint8 `(h, w, 3)`, or None where there is none, with a caption that is markup already."""
    image = ""
    if pixels is not None:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=82)
        image = f"<img alt='' src='{_uri(file.getvalue(), 'jpeg')}'>"
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def plot(png, alt):
    """A plot, and what it shows in words."""
    return f"<img alt='{markup(alt)}' src='{_uri(png, 'png')}'>"


def issues_by_kind(issues, file=None):
    """Everything irregular, folded up by kind, problems first.

    Args:
        issues: list of `Issue`.
        file: str or `None`, the annotation file they number the records of; None where they name files themselves.
    """
    parts = []
    for kind, found in grouped(issues).items():
        where = f" in {markup(file)}" if file else ""
        items = "".join(
            f"<li>{markup(one.where)}<br>{markup(one.message, 1000)}</li>" for one in found[:_MOST_FINDINGS]
        )
        more = f"<p>… and {len(found) - _MOST_FINDINGS:,} more: `pix2seq data check --json` has them all.</p>"
        parts.append(
            f"<details><summary class='{markup(found[0].severity)}'>{markup(kind)}: {len(found):,}{where}</summary>"
            f"<ul>{items}</ul>{more if len(found) > _MOST_FINDINGS else ''}</details>"
        )
    return "\n".join(parts)


def _uri(data, kind):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
