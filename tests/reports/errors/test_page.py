"""The HTML page on an evaluation: its numbers, its images, and escaped text from the data."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.reports import build_evaluation_report, write_evaluation_page

TOP, BOTTOM = (0.0, 0.0, 0.4, 0.4), (0.5, 0.0, 0.9, 0.4)
SHIFTED = (0.0, 0.2, 0.4, 0.6)  # IoU 1/3 with TOP


@pytest.fixture
def page_of(evaluated, parse_page, tmp_path):
    """A function from images and options of `evaluated` to the parsed page."""

    def build(images, details=None, **options):
        path = tmp_path / "report.html"
        write_evaluation_page(
            build_evaluation_report(*evaluated(images, **options), details=details or {"model": "m"}), path
        )
        return parse_page(path)

    return build


def cell(page, first, column):
    """The text of the cell `column` columns after the cell `first`."""
    return page.texts[page.texts.index(first) + column]


def decoded(page):
    for source in page.images:
        kind, data = source.removeprefix("data:image/").split(";base64,")
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        assert image.format.lower() == kind
        yield image


def test_the_numbers_equal_those_of_the_evaluation(page_of):
    page = page_of([([(TOP, 0), (BOTTOM, 1)], [(TOP, 0, 0.9), (BOTTOM, 1, 0.8)]), ([(TOP, 0)], [(SHIFTED, 0, 0.95)])])

    text = "".join(page.texts)
    assert "true positives 2; false positives 1; false negatives 1, of which missed 0" in text
    assert (
        cell(page, "AP50", 2) == f"{(51 / 2 / 101 + 1) / 2:.3f}"
    )  # class a: precision 1/2 at 51 recall points; class b: 1
    assert cell(page, "localisation", 1) == "1 (100.0 %)"
    assert cell(page, "objects", 1) == "3"
    assert cell(page, "b", 1) == "1" and cell(page, "b", 2) == "1.000"
    assert "true positives 0, false positives 1 (1 localisation), false negatives 1" in text


def test_the_page_contains_its_images_and_they_are_small(page_of):
    page = page_of([([(TOP, 0)], [(TOP, 0, 0.9)] * (number % 2)) for number in range(30)], size=(1500, 900))

    images = list(decoded(page))
    assert len(images) == 1 + 12 + 4 and not page.addresses
    assert {image.size for image in images[1:]} == {(384, 640)}
    assert sum(map(len, page.images)) < 1_000_000


def test_names_from_the_data_are_escaped(page_of, hostile):
    found = [(TOP, 0, 0.9), (BOTTOM, 1, 0.9)]
    page = page_of(
        [([(TOP, 0)], found), ([(TOP, 1)], [])],
        details={"model": hostile},
        names=(hostile, "two\nlines", "_c"),
        labels=(f"/data/{hostile}.jpg", "b\x00.jpg"),
        unreadable=1,
    )

    assert "script" not in page.tags and not page.addresses
    assert hostile not in page.texts
    assert any(text.startswith("<script>alert") for text in page.texts)
    assert all(character.isprintable() or character == "\n" for text in page.texts for character in text)
    assert any("\\x1b[31m" in text for text in page.texts)


def test_a_page_is_written_without_detections(page_of):
    page = page_of([([(TOP, 0), (BOTTOM, 1)], []), ([(TOP, 0)], [])])

    assert cell(page, "missed", 1) == "3 (100.0 %)"
    assert "(all)" in page.texts


def test_a_page_is_written_without_objects(page_of):
    page = page_of([([], [(TOP, 0, 0.5)]), ([], [])])

    assert cell(page, "AP", 2) == "—"
    assert cell(page, "background", 1) == "1 (100.0 %)"


def test_the_page_states_that_there_are_no_errors(page_of):
    page = page_of([([(TOP, 0)], [(TOP, 0, 0.5)])])

    assert "There are no errors." in page.texts
    assert len(page.images) == 1 + 1  # the curves, and the image with the fewest errors


def test_images_that_cannot_be_read_are_counted_and_named(page_of):
    page = page_of([([(TOP, 0)], [])], unreadable=2)

    assert cell(page, "images that cannot be read, left out", 1) == "2"
    assert "unreadable image: 2" in page.texts and "gone 1" in page.texts


def test_an_image_that_cannot_be_read_any_more_has_only_its_caption(evaluated, parse_page, tmp_path):
    evaluator, result, source = evaluated([([(TOP, 0)], [])] * 2)
    report = build_evaluation_report(evaluator, result, source, {"model": "m"})
    (read,) = (source.read,)
    source.read = lambda index: read(99 if index == 0 else index)  # 99 raises

    write_evaluation_page(report, tmp_path / "report.html")

    page = parse_page(tmp_path / "report.html")
    assert len(page.images) == 1 + 1
    assert sum(text.startswith("true positives 0, false positives 0, false negatives 1") for text in page.texts) == 2


def test_only_images_that_are_shown_are_read(evaluated, tmp_path):
    evaluator, result, source = evaluated([([(TOP, 0)], [])] * 40)
    read, seen = source.read, []
    source.read = lambda index: (seen.append(index), read(index))[1]

    write_evaluation_page(
        build_evaluation_report(evaluator, result, source, {}),
        tmp_path / "a.html",
        num_most_errors=3,
        num_fewest_errors=2,
    )

    assert seen == [0, 1, 2, 3, 4]


def test_a_page_that_cannot_be_written_raises_an_input_error_and_leaves_no_file(evaluated, tmp_path):
    report = build_evaluation_report(*evaluated([([(TOP, 0)], [])]), details={})

    with pytest.raises(InputError, match="cannot be written"):
        write_evaluation_page(report, tmp_path / "none" / "report.html")
    assert not list(tmp_path.iterdir())


def test_all_classes_are_in_the_table(page_of):
    names = tuple(f"thing {number}" for number in range(20))
    page = page_of([([(TOP, class_) for class_ in range(12)], [])], names=names)

    assert all(name in page.texts for name in names)
    assert any("the 8 most frequent of 12 classes" in text for text in page.texts)
    assert np.asarray(next(decoded(page))).std() > 0
