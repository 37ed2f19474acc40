"""The bytes that are sent decode, in the graph, to the pixels that are read here."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data.images.read_image import MAX_PIXELS, ImageError, read_image
from pix2seq_keras.exporting import decode_image
from pix2seq_keras.inference.payload import image_bytes, image_name


@pytest.fixture(scope="module")
def decode():
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda data: decode_image(data, MAX_PIXELS), input_signature=signature, autograph=False)


@pytest.fixture(scope="module")
def colours():
    return np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def files(folder, colours):
    """Files of many kinds -> the dictionary of name -> whether it is sent as it is."""
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
    as_they_are = {"plain.jpg", "progressive.jpg", "grey.jpg", "plain.png", "grey.png"}
    return {path.name: path.name in as_they_are for path in folder.iterdir()}


def test_every_kind_of_file_arrives_as_it_is_read_here(decode, colours, tmp_path):
    for name, as_it_is in files(tmp_path, colours).items():
        data = image_bytes(tmp_path / name, MAX_PIXELS)
        np.testing.assert_array_equal(decode(data), read_image(tmp_path / name), err_msg=name)
        assert (data == (tmp_path / name).read_bytes()) == as_it_is, name


def test_arrays_and_bytes_arrive_without_loss(decode, colours, tmp_path):
    for array in (colours, colours[..., 0], colours[..., :1], np.dstack([colours, colours[..., 1]]), colours[:1, :1]):
        np.testing.assert_array_equal(decode(image_bytes(array, MAX_PIXELS)), read_image(array))
    Image.fromarray(colours).save(tmp_path / "a.jpg", quality=50)
    data = (tmp_path / "a.jpg").read_bytes()
    assert image_bytes(data, MAX_PIXELS) == data


def test_a_image_that_is_not_whole_is_refused_here(colours, tmp_path):
    Image.fromarray(colours).save(tmp_path / "cut.jpg")
    Image.fromarray(colours).save(tmp_path / "cut.png")
    for name in ("cut.jpg", "cut.png"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-400])
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.png").touch()
    for path in [*tmp_path.iterdir(), tmp_path / "missing.png", tmp_path]:
        with pytest.raises(ImageError, match=path.name):
            image_bytes(path, MAX_PIXELS)


def test_more_pixels_than_the_model_takes_are_refused_here(colours, tmp_path):
    Image.fromarray(colours).save(tmp_path / "a.png")
    assert image_bytes(tmp_path / "a.png", 1200) and image_bytes(colours, 1200)
    for image in (tmp_path / "a.png", colours):
        with pytest.raises(ImageError, match=r"40×30 pixels.*Make it smaller"):
            image_bytes(image, 1199)


def test_messages_name_a_image_by_its_path_or_its_place(colours):
    assert image_name("x/a.png", 3) == "The image 'x/a.png'"
    assert image_name(colours, 3) == "Image 3 of those given (an array of shape (30, 40, 3))"
