"""The page holds the whole report, nothing from outside, and nothing that the data could have smuggled in."""

import base64
import io

import pytest
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.reports import check_source, write_page


@pytest.fixture(scope="module")
def page(parse_page, faulty, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(check_source(f"coco:{faulty}", shown=3), path)
    return parse_page(path)


def test_names_from_the_data_are_text_and_nothing_else(page, hostile):
    assert "script" not in page.tags
    shown = [text for text in page.texts if text.startswith("<script>")]
    assert shown and all(set(text) <= set(map(chr, range(32, 127))) for text in shown)  # nothing unprintable
    assert hostile not in page.texts


def test_the_page_stands_alone_and_its_images_are_images(page):
    assert page.images and not page.addresses
    for source in page.images:
        kind, data = source.removeprefix("data:image/").split(";base64,")
        assert Image.open(io.BytesIO(base64.b64decode(data))).format.lower() == kind
    # Of each split a plot and three thumbnails, of train one less that cannot be read; and two near-duplicates.
    assert len(page.images) in (2 * 4 + 2, 2 * 4 + 2 - 1)


def test_every_issue_is_on_the_page(page):
    text = "\n".join(page.texts)
    for words in ("box without area: 1", "unknown category: 1", "missing image: 1", "gone.png", "annotations[4]"):
        assert words in text
    assert "instances_train.json" in text and "It can be trained on." in text


def test_a_source_without_objects_has_a_page_too(parse_page, lone, tmp_path):
    write_page(check_source(f"coco:{lone([])}"), tmp_path / "report.html")

    assert "It cannot be trained on" in "".join(parse_page(tmp_path / "report.html").texts)


def test_a_page_that_cannot_be_written_is_a_sentence(lone, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_page(check_source(f"coco:{lone([])}"), tmp_path / "none" / "report.html")
