"""A small COCO folder whose records tests change, and random boxes."""

import json

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.sources.coco.read import open_coco
from pix2seq_keras.data.sources.digits.builder import DigitScenes

WIDTH, HEIGHT = 60, 40
BOX = [33, 4, 24, 10]  # x, y, width, height
IMAGE = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
ANNOTATION = {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX}


@pytest.fixture
def coco(tmp_path):
    """A function that opens a folder with the image a.png (a white box on black at BOX) and given records."""
    (tmp_path / "train").mkdir()
    (tmp_path / "annotations").mkdir()
    save(tmp_path / "train" / "a.png")

    def open_with(images=None, annotations=None, categories=None):
        document = {
            "images": [IMAGE] if images is None else images,
            "annotations": [ANNOTATION] if annotations is None else annotations,
            "categories": categories or [{"id": 1, "name": "one"}, {"id": 5, "name": "five"}],
        }
        (tmp_path / "annotations" / "instances_train.json").write_text(json.dumps(document))
        return open_coco(tmp_path, "train")

    open_with.folder = tmp_path / "train"
    open_with.save = save
    open_with.document = tmp_path / "annotations" / "instances_train.json"
    return open_with


def save(path, size=(WIDTH, HEIGHT), box=BOX, orientation=None):
    """Saves a black image with a white box, drawn in the stored frame."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    x, y, w, h = box
    pixels[y : y + h, x : x + w] = 255
    block = Image.Exif()
    if orientation:
        block[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=block)


@pytest.fixture
def save_image():
    """The function `save` above."""
    return save


@pytest.fixture
def random_boxes():
    """A function that returns random `rel_yxyx` boxes of an image, with edges on whole pixels or between them."""

    def make(seed, height, width, whole):
        edges = np.random.default_rng(seed).uniform(0, 1, (300, 2, 2)) * [height, width]
        edges = np.sort(np.round(edges) if whole else edges, axis=1)  # (n, 2, 2): near and far, y and x
        edges = edges[(edges[:, 1] - edges[:, 0]).min(-1) > 0.01]
        return (edges / [height, width]).reshape(-1, 4).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def drawn_digits(tmp_path_factory):
    """A data folder with the 300 test scenes of 64×64."""
    folder = tmp_path_factory.mktemp("data")
    DigitScenes(config="64_test", data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture
def data_folder(drawn_digits, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(drawn_digits))
    return drawn_digits


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path))
    return tmp_path
