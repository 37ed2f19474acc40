"""Text from the data in a form that is safe to print."""

from pix2seq_keras.data.issues import Issue
from pix2seq_keras.reports.formatting import count_and_percent, escape_html, group_by_kind, shorten_path


def test_html_is_escaped():
    assert escape_html("<b>'\"&\n") == "&lt;b&gt;&#x27;&quot;&amp;\\n"


def test_paths_are_shortened_and_other_labels_are_not():
    assert shorten_path("/somewhere/deep/train/a.jpg") == "train/a.jpg"
    assert shorten_path("image 3 of tfds:voc/2007 (train)") == "image 3 of tfds:voc/2007 (train)"


def test_issues_are_grouped_by_kind_with_problems_first():
    note, problem, other = Issue("a", "1", "", "note"), Issue("b", "2", ""), Issue("a", "3", "", "note")

    assert group_by_kind([note, problem, other]) == {"b": [problem], "a": [note, other]}


def test_a_percentage_needs_a_total():
    assert count_and_percent(12, 350) == "12 (3.4 %)"
    assert count_and_percent(1234, 0) == "1,234"
