"""Folders with faults that are known."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

HOSTILE = "<script>alert('x')</script>\x1b[31m[red]$\\frac$\u202e"


@pytest.fixture(scope="session")
def hostile():
    """The name of the third class of `faulty`."""
    return HOSTILE


@pytest.fixture(scope="session")
def faulty(write_rectangles, edit_annotations, tmp_path_factory):
    """Rectangles with one fault of each of several kinds, a class of a hostile name and a copy between the splits."""
    folder = write_rectangles(tmp_path_factory.mktemp("faulty") / "coco", {"train": 6, "val": 3}, size=(96, 80))

    def spoil(document):
        document["annotations"][0]["bbox"][2] = 0
        document["annotations"][4]["category_id"] = 77
        document["images"].append({"id": 50, "file_name": "gone.png", "width": 96, "height": 80})

    edit_annotations(folder, "train", spoil)
    for split in ("train", "val"):
        edit_annotations(folder, split, lambda document: document["categories"][2].update(name=HOSTILE))
    (folder / "train" / "3.png").write_bytes((folder / "train" / "3.png").read_bytes()[:-60])
    shutil.copy(folder / "train" / "5.png", folder / "val" / "2.png")
    return folder


@pytest.fixture
def lone(tmp_path):
    """A COCO folder of one picture of 200×100 with objects of given boxes, in pixels, crowds where a fifth says so."""

    def write(boxes, categories=("cell",), classes=None, name="lone"):
        folder = tmp_path / name
        (folder / "annotations").mkdir(parents=True)
        (folder / "train").mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "train" / "a.png")
        annotations = [
            {
                "id": number + 1,
                "image_id": 1,
                "category_id": 1 if classes is None else classes[number] + 1,
                "bbox": list(box[:4]),
                "area": box[2] * box[3],
                "iscrowd": box[4] if len(box) > 4 else 0,
            }
            for number, box in enumerate(boxes)
        ]
        document = {
            "images": [{"id": 1, "file_name": "a.png", "width": 200, "height": 100}],
            "annotations": annotations,
            "categories": [{"id": number + 1, "name": text} for number, text in enumerate(categories)],
        }
        (folder / "annotations" / "instances_train.json").write_text(json.dumps(document))
        return folder

    return write
