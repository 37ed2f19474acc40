"""Examples read inside tf.data: with TensorFlow alone or through Python, the examples are the same."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data import open_source
from pix2seq_keras.data.example_reader import PlainFiles, examples_without_pixels, graph_reader, portable_reader
from pix2seq_keras.data.images.read_image import inspect_image, read_image, use_image_reader
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError


@pytest.fixture
def folder(write_rectangles, tmp_path):
    """Seven images, among them one with transparency and one rotated by EXIF."""
    folder = write_rectangles(tmp_path / "coco", {"train": 7})
    images = [folder / "train" / f"{index}.png" for index in range(7)]
    pixels = [np.asarray(Image.open(path)) for path in images]
    Image.fromarray(pixels[1]).save(images[1], format="JPEG")
    Image.fromarray(pixels[2]).convert("RGBA").save(images[2])
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(pixels[3]).save(images[3], format="JPEG", exif=exif)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)).save(images[5], format="JPEG")
    return folder


def damage(folder):
    (folder / "train" / "4.png").unlink()
    path = folder / "train" / "5.png"
    path.write_bytes(path.read_bytes()[:-300])


def read_all(reader, count):
    data = tf.data.Dataset.range(count).map(reader, num_parallel_calls=2)
    return list(data.as_numpy_iterator())


def assert_read_as(found, expected):
    for key in ("image", "boxes", "classes", "is_crowd"):
        np.testing.assert_array_equal(found[key], expected[key])
        assert found[key].dtype == expected[key].dtype


def test_every_image_is_read_as_its_source_reads_it(folder):
    source = open_source(f"coco:{folder}", "train")
    plain = PlainFiles.from_source(source, np.arange(7))

    found = read_all(graph_reader(source, np.arange(7)), 7)

    assert plain.count == 5  # transparency and EXIF need Python
    for index in range(7):
        assert_read_as(found[index], source.read(index))


def test_an_unreadable_image_is_replaced_by_the_next_and_reported(folder):
    source = open_source(f"coco:{folder}", "train")
    reader = graph_reader(source, np.arange(7))
    damage(folder)

    found = read_all(reader, 7)

    assert_read_as(found[4], source.read(6))
    assert_read_as(found[5], source.read(6))
    assert source.issues.counts("problem") == {"missing image": 1, "unreadable image": 1}


def test_a_file_that_is_missing_from_the_start_affects_no_other_image(folder):
    source = open_source(f"coco:{folder}", "train")
    damage(folder)
    found = read_all(graph_reader(source, np.arange(7)), 7)
    assert_read_as(found[3], source.read(3))
    assert_read_as(found[4], source.read(6))
    assert_read_as(found[6], source.read(6))


def test_only_some_images_can_be_used(folder):
    source = open_source(f"coco:{folder}", "train")
    found = read_all(graph_reader(source, np.array([6, 0, 3])), 3)
    for example, index in zip(found, (6, 0, 3), strict=True):
        assert_read_as(example, source.read(index))


def test_plain_files_are_read_without_python(folder):
    source = open_source(f"coco:{folder}", "train")
    reader = graph_reader(source, np.arange(7))

    def never(index):
        raise AssertionError("read by Python")

    source.read = never

    assert [len(example["classes"]) for example in read_all(reader, 2)] == [3, 3]


def test_a_source_of_records_is_read_by_python(folder):
    files = open_source(f"coco:{folder}", "train")
    data = [(folder / "train" / f"{index}.png").read_bytes() for index in range(7)]
    read = lambda index: {**files.read(index), "image": read_image(data[index])}
    source = Source(**{**vars(files), "read": read})

    assert PlainFiles.from_source(source, np.arange(7)) is None
    for index, found in enumerate(read_all(graph_reader(source, np.arange(7)), 7)):
        assert_read_as(found, files.read(index))
    with pytest.raises(InputError, match=r"requires plain JPEG and PNG files.*keeps its images in records"):
        portable_reader(source, np.arange(7))


def test_examples_without_pixels_decode_no_image(folder):
    source = open_source(f"coco:{folder}", "train")
    found = list(examples_without_pixels(source, [0, 3]))
    assert [file.path.name for file, _ in found] == ["0.png", "3.png"]
    assert [example["image"].shape for _, example in found] == [(1, 1, 3)] * 2
    np.testing.assert_array_equal(found[1][1]["boxes"], source.read(3)["boxes"])


def test_a_portable_reader_refuses_images_that_need_python(folder):
    source = open_source(f"coco:{folder}", "train")
    with pytest.raises(InputError, match="has 2 images that are rotated by EXIF, transparent"):
        portable_reader(source, np.arange(7))
    found = read_all(portable_reader(source, np.array([0, 1])), 2)
    for index in range(2):
        assert_read_as(found[index], source.read(index))


@pytest.mark.parametrize("name", ["0.png", "1.png", "2.png", "3.png"])
def test_a_known_header_is_not_parsed_again(folder, name, monkeypatch):
    path = folder / "train" / name
    info, expected = inspect_image(path), read_image(path)

    def never(*arguments):
        raise AssertionError("EXIF parsed again")

    monkeypatch.setattr("pix2seq_keras.data.images.read_image.orientation_of", never)
    np.testing.assert_array_equal(read_image(path, info=info), expected)


def test_an_image_reader_ends_with_its_block(folder):
    path = folder / "train" / "0.png"
    expected = read_image(path)
    with use_image_reader(lambda file, decode: decode(file.load())[::2]):
        np.testing.assert_array_equal(read_image(path), expected[::2])
    np.testing.assert_array_equal(read_image(path), expected)
