"""Images in the forms that people have give the pixels of their file."""

import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.images.given_image import given_image
from pix2seq_keras.data.images.read_image import ImageError, inspect_image, read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


@pytest.fixture
def path(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_every_form_has_the_same_pixels(path):
    with path.open("rb") as file, Image.open(path) as lazy:
        forms = [
            str(path),
            np.str_(path),
            path,
            pathlib.PurePath(path),
            path.read_bytes(),
            memoryview(path.read_bytes()),
        ]
        for form in [*forms, file, io.BytesIO(path.read_bytes()), lazy, Image.fromarray(PIXELS), PIXELS]:
            np.testing.assert_array_equal(read_image(form), PIXELS, err_msg=repr(form))


def test_an_open_file_is_read_from_its_beginning_as_often_as_it_is_given(path):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")  # its position is the end now

    assert inspect_image(buffer).width == 9
    np.testing.assert_array_equal(read_image(buffer), PIXELS)
    np.testing.assert_array_equal(read_image(buffer), PIXELS)


def test_a_stream_that_cannot_go_back_is_read_from_where_it_is(path):
    class Pipe(io.RawIOBase):
        def read(self, size=-1):
            return path.read_bytes()

    np.testing.assert_array_equal(read_image(Pipe()), PIXELS)


def test_a_pil_image_is_turned_upright_and_placed_on_white(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "turned.png", exif=exif)
    clear = Image.fromarray(np.dstack([PIXELS, np.zeros((6, 9), np.uint8)]))

    with Image.open(tmp_path / "turned.png") as image:
        np.testing.assert_array_equal(read_image(image), read_image(tmp_path / "turned.png"))
    assert (read_image(clear) == 255).all()
    assert read_image(Image.fromarray(PIXELS).convert("CMYK")).shape == (6, 9, 3)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ({"image": 1}, "must be a path, .*a PIL image or a uint8 array. Received: a dict"),
        (["a.jpg"], "Received: a list"),
        (None, "Received: None"),
        (7, "Received: an int"),
        (io.StringIO("text"), "must give bytes. Received: a str. Open it in mode 'rb'"),
        (io.BytesIO(), "in a BytesIO is empty"),
        (np.zeros((4, 4, 3), np.float32), r"Convert floats in \[0, 1\] with \(255"),
        (np.full((4, 4, 3), 200.0), r"Convert floats in \[0, 255\] with array.round"),
    ],
)
def test_other_values_are_refused_by_name(image, message):
    with pytest.raises(ImageError, match=message):
        read_image(image)


def test_pixels_have_no_header():
    with pytest.raises(ImageError, match="Received: pixels"):
        inspect_image(PIXELS)


def test_a_closed_file_and_a_damaged_pil_image_are_refused(path):
    with path.open("rb") as file:
        pass
    with pytest.raises(ImageError, match=r"a\.png.* cannot be read.*closed"):
        given_image(file)

    truncated = Image.open(io.BytesIO(path.read_bytes()[:-30]))
    with pytest.raises(ImageError, match="PIL image of 9×6 pixels cannot be decoded"):
        given_image(truncated)
