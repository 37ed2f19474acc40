"""JPEGs of hundreds of scans, of a few bytes each, are refused before they are decoded, however an image is read."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data import open_source
from pix2seq_keras.data.example_reader import PlainFiles, graph_reader
from pix2seq_keras.data.images.image_cache import ImageCache
from pix2seq_keras.data.images.jpeg_scans import MAX_SCANS, MAX_SEGMENTS, inspect_jpeg
from pix2seq_keras.data.images.read_image import ImageError, inspect_image, read_image, use_image_reader
from pix2seq_keras.inference.payload import encode_image


def saved(**options):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)).save(file, "JPEG", **options)
    return file.getvalue()


USUAL = {
    "baseline": saved(),
    "progressive": saved(progressive=True),
    "with scan markers in its profile": saved(icc_profile=b"\xff\xda\xff\xd9" * 30000),
    "with restart markers": saved(restart_marker_blocks=1),
    "with a video appended": saved() + b"video\xff\xda" * 100,
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_files_are_accepted_with_their_size(name):
    assert inspect_jpeg(USUAL[name]) == ((48, 40), None)


def test_many_scans_or_segments_are_a_problem(jpeg_with_scans):
    assert inspect_jpeg(jpeg_with_scans(MAX_SCANS)) == ((48, 40), None)
    assert inspect_jpeg(jpeg_with_scans(MAX_SCANS + 1)) == ((48, 40), "it has more than 64 scans")
    empty_segments = b"\xff\xd8" + b"\xff\xfe\0\2" * MAX_SEGMENTS
    assert inspect_jpeg(empty_segments + USUAL["baseline"][2:]) == (None, "it has more than 4096 segments")


@pytest.mark.parametrize("cut", [0, 2, 3, 5, 160, -1])
def test_damaged_files_are_left_to_the_decoder(cut):
    assert inspect_jpeg(USUAL["baseline"][:cut])[1] is None


def test_most_scans_that_are_accepted_are_decoded(jpeg_with_scans):
    data = jpeg_with_scans(MAX_SCANS)
    np.testing.assert_array_equal(read_image(data), tf.io.decode_jpeg(data, channels=3))


@pytest.fixture
def bomb(jpeg_with_scans, tmp_path):
    path = tmp_path / "bomb.jpg"
    path.write_bytes(jpeg_with_scans(300))
    tf.io.decode_jpeg(path.read_bytes())  # it is valid
    return path


def test_every_way_to_read_an_image_refuses_it(bomb, tmp_path):
    info = inspect_image(bomb)
    ways = {
        "path": lambda: read_image(bomb),
        "bytes": lambda: read_image(bomb.read_bytes()),
        "with a known header": lambda: read_image(bomb, info=info),
        "for an exported model": lambda: encode_image(bomb, 10_000),
    }
    for name, read in ways.items():
        with pytest.raises(ImageError, match="more than 64 scans"):
            read()
            pytest.fail(name)
    with use_image_reader(ImageCache(tmp_path / "cache")), pytest.raises(ImageError, match=r"bomb\.jpg.* scans"):
        read_image(bomb)


@pytest.mark.parametrize("change", ["scans", "pixels of a JPEG", "pixels of a PNG"])
def test_the_graph_of_the_training_pipeline_refuses_it(write_rectangles, jpeg_with_scans, tmp_path, change):
    folder = write_rectangles(tmp_path / "coco", {"train": 2})
    path = folder / "train" / "0.png"
    if change != "pixels of a PNG":
        path.write_bytes(USUAL["with a video appended"])  # its scans have to be counted
    source = open_source(f"coco:{folder}", "train")
    plain = PlainFiles.from_source(source, np.arange(2))
    np.testing.assert_array_equal(plain.read(tf.constant(0, tf.int64))["image"], read_image(path))
    reader = graph_reader(source, np.arange(2))
    data = path.read_bytes()
    if change == "scans":
        path.write_bytes(jpeg_with_scans(300))
    elif change == "pixels of a JPEG":
        sizes = struct.pack(">HH", 40, 48)
        path.write_bytes(data.replace(sizes, struct.pack(">HH", 60000, 60000), 1))
    else:
        path.write_bytes(data[:16] + struct.pack(">II", 60000, 60000) + data[24:])

    with pytest.raises(tf.errors.InvalidArgumentError, match="scans" if change == "scans" else "million pixels"):
        tf.function(plain.read)(tf.constant(0, tf.int64))
    (found,) = tf.data.Dataset.range(1).map(reader).as_numpy_iterator()
    np.testing.assert_array_equal(found["image"], read_image(folder / "train" / "1.png"))
    assert source.issues.counts("problem") == {"unreadable image": 1}
