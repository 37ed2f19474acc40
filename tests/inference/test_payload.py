"""Encoded images decode in the graph to exactly the pixels of `read_image`."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data.images.read_image import MAX_PIXELS, ImageError, read_image
from pix2seq_keras.exporting.image_decoding.decode import decode_image
from pix2seq_keras.inference.payload import encode_image, image_name


@pytest.fixture(scope="module")
def decode():
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda data: decode_image(data, MAX_PIXELS), input_signature=signature, autograph=False)


@pytest.fixture(scope="module")
def colours():
    return np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def files(folder, colours):
    """Writes files of many formats: dictionary of name to whether its bytes are sent unchanged."""
    image = Image.fromarray(colours)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(folder / "plain.jpg")
    image.save(folder / "progressive.jpg", progressive=True)
    image.convert("L").save(folder / "grey.jpg")
    image.save(folder / "plain.png")
    image.convert("L").save(folder / "grey.png")
    image.save(folder / "turned.jpg", exif=exif)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    image.convert("P").save(folder / "palette.png")
    alpha = Image.fromarray(np.dstack([colours, colours[..., 0]]))
    alpha.save(folder / "alpha.png")
    Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50).save(folder / "sixteen.png")
    image.save(folder / "plain.bmp")
    image.save(folder / "first_frame.gif", save_all=True, append_images=[image.rotate(180)])
    image.save(folder / "lossless.webp", lossless=True)
    image.save(folder / "turned.tif", tiffinfo=exif)
    unchanged = {"plain.jpg", "progressive.jpg", "grey.jpg", "plain.png", "grey.png"}
    return {path.name: path.name in unchanged for path in folder.iterdir()}


def test_every_kind_of_file_decodes_to_the_pixels_of_read_image(decode, colours, tmp_path):
    for name, unchanged in files(tmp_path, colours).items():
        data = encode_image(tmp_path / name, MAX_PIXELS)
        np.testing.assert_array_equal(decode(data), read_image(tmp_path / name), err_msg=name)
        assert (data == (tmp_path / name).read_bytes()) == unchanged, name


def test_arrays_and_bytes_are_encoded_losslessly(decode, colours, tmp_path):
    for array in (colours, colours[..., 0], colours[..., :1], np.dstack([colours, colours[..., 1]]), colours[:1, :1]):
        np.testing.assert_array_equal(decode(encode_image(array, MAX_PIXELS)), read_image(array))
    Image.fromarray(colours).save(tmp_path / "a.jpg", quality=50)
    data = (tmp_path / "a.jpg").read_bytes()
    assert encode_image(data, MAX_PIXELS) == data


def test_a_damaged_or_missing_image_is_refused_before_it_is_sent(colours, tmp_path):
    Image.fromarray(colours).save(tmp_path / "cut.jpg")
    Image.fromarray(colours).save(tmp_path / "cut.png")
    for name in ("cut.jpg", "cut.png"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-400])
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.png").touch()
    for path in [*tmp_path.iterdir(), tmp_path / "missing.png", tmp_path]:
        with pytest.raises(ImageError, match=path.name):
            encode_image(path, MAX_PIXELS)


def test_an_image_with_too_many_pixels_is_refused_before_it_is_sent(colours, tmp_path):
    Image.fromarray(colours).save(tmp_path / "a.png")
    assert encode_image(tmp_path / "a.png", 1200) and encode_image(colours, 1200)
    for image in (tmp_path / "a.png", colours):
        with pytest.raises(ImageError, match=r"40×30 pixels.*Make it smaller"):
            encode_image(image, 1199)


def test_an_image_is_named_by_its_path_or_its_index(colours):
    assert image_name("x/a.png", 3) == "The image 'x/a.png'"
    assert image_name(colours, 3) == "Image 3 of the list (an array of shape (30, 40, 3))"
