"""The HTML page contains the whole report, loads nothing, and escapes all text from the data."""

import base64
import io

import pytest
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.reports import check_source, write_data_page


@pytest.fixture(scope="module")
def page(parse_page, data_with_issues, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_data_page(check_source(f"coco:{data_with_issues}", num_thumbnails=3), path)
    return parse_page(path)


def test_names_from_the_data_are_escaped(page, hostile):
    assert "script" not in page.tags
    shown = [text for text in page.texts if text.startswith("<script>")]
    assert shown and all(set(text) <= set(map(chr, range(32, 127))) for text in shown)  # all printable
    assert hostile not in page.texts


def test_the_page_contains_its_images_and_has_no_links(page):
    assert page.images and not page.addresses
    for source in page.images:
        kind, data = source.removeprefix("data:image/").split(";base64,")
        assert Image.open(io.BytesIO(base64.b64decode(data))).format.lower() == kind
    # A plot and three thumbnails per split, one less if the image cannot be read; and two near-duplicates.
    assert len(page.images) in (2 * 4 + 2, 2 * 4 + 2 - 1)


def test_every_issue_is_on_the_page(page):
    text = "\n".join(page.texts)
    for words in ("box without area: 1", "unknown category: 1", "missing image: 1", "gone.png", "annotations[4]"):
        assert words in text
    assert "instances_train.json" in text and "The data can be used for training." in text


def test_a_source_without_objects_has_a_page(parse_page, one_image, tmp_path):
    write_data_page(check_source(f"coco:{one_image([])}"), tmp_path / "report.html")

    assert "The data cannot be used for training" in "".join(parse_page(tmp_path / "report.html").texts)


def test_a_page_that_cannot_be_written_raises_an_input_error(one_image, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_data_page(check_source(f"coco:{one_image([])}"), tmp_path / "none" / "report.html")
