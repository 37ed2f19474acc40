"""The report on the terminal: statistics, a few issues of each kind, and no control characters from the data."""

import io

import pytest
from rich.console import Console

from pix2seq_keras.reports import check_source, print_data_report


@pytest.fixture
def printed():
    def run(report, width=200):
        file = io.StringIO()
        print_data_report(report, Console(file=file, width=width, force_terminal=True, color_system=None))
        return file.getvalue()

    return run


def test_statistics_and_issues_are_printed(printed, data_with_issues):
    text = printed(check_source(f"coco:{data_with_issues}"))

    row = next(line for line in text.splitlines() if line.startswith("│ objects  "))
    assert [cell.strip() for cell in row.split("│")[2:4]] == ["13", "9"]
    assert "train: box without area: 1 (problem) in " in text and "annotations[0] (id 1)" in text
    assert "5 issues. The data can be used for training." in text


def test_text_from_the_data_cannot_control_the_terminal(printed, data_with_issues):
    text = printed(check_source(f"coco:{data_with_issues}"))

    assert "\x1b[31m" not in text and "\u202e" not in text
    assert "[red]" in text  # rich does not take it for a colour


def test_only_some_issues_of_a_kind_are_printed(printed, one_image):
    folder = one_image([(5, 5, 0, 5)] * 9 + [(5, 5, 9, 9)])

    text = printed(check_source(f"coco:{folder}"))

    assert "box without area: 9 (problem)" in text and "… and 6 more" in text
    assert text.count("5, 5, 0, 5") == 3


def test_only_the_most_frequent_classes_are_printed(printed, one_image):
    folder = one_image([(5, 5, 9, 9)], categories=[f"class {number}" for number in range(30)], classes=[29])

    text = printed(check_source(f"coco:{folder}"))

    assert "class 29" in text and "class 25" not in text and "… and 10 more classes" in text
