"""The parts of an HTML report."""

import numpy as np

from pix2seq_keras.data.issues import Issue
from pix2seq_keras.reports.html_parts import html_figure, html_issues, html_table, write_html_page


def test_the_title_of_a_page_is_escaped_and_its_parts_are_not(tmp_path, parse_page):
    write_html_page(tmp_path / "a.html", "<i>", ["<p>text</p>"])

    page = parse_page(tmp_path / "a.html")
    assert "i" not in page.tags and "p" in page.tags and "<i>" in page.texts


def test_a_table_has_a_head_and_rows():
    expected = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"

    assert html_table(["a", "b"], [["1", "2"]]) == expected


def test_a_figure_without_an_image_has_only_its_caption():
    assert html_figure(None, "text") == "<figure><figcaption>text</figcaption></figure>"
    assert "data:image/jpeg;base64," in html_figure(np.zeros((4, 4, 3), np.uint8), "text")


def test_at_most_2000_issues_of_a_kind_are_listed():
    html = html_issues([Issue("kind", f"record {number}", "") for number in range(2003)], "file.json")

    assert "kind: 2,003 in file.json" in html and "… and 3 more" in html
    assert html.count("<li>") == 2000
