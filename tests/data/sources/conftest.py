"""A small COCO folder to spoil."""

import json

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.sources.coco.read import open_coco

WIDTH, HEIGHT = 60, 40
BOX = [33, 4, 24, 10]  # x, y, width, height
IMAGE = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
ANNOTATION = {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX}


@pytest.fixture
def coco(tmp_path):
    """Opens a folder with the image a.png (a white box on black at BOX) and the given records."""
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
