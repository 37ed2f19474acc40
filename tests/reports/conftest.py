"""Data with known issues, parsed HTML pages, and evaluations with given detections."""

import json
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.evaluation import evaluate_source

_EMPTY = {"meta", "img", "br"}


class Page(HTMLParser):
    """The tags, images, links and texts of a page; fails if tags are not balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.images, self.addresses, self.texts = [], set(), [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in _EMPTY:
            self.open.append(tag)
        for name, value in attributes:
            assert not name.startswith("on")
            if name == "src":
                self.images.append(value)
            if name == "href":
                self.addresses.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)


HOSTILE = "<script>alert('x')</script>\x1b[31m[red]$\\frac$\u202e"


@pytest.fixture(scope="session")
def parse_page():
    """A function (path) -> the `Page` there."""
    return lambda path: Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def hostile():
    """The name of the third class of `data_with_issues`."""
    return HOSTILE


@pytest.fixture(scope="session")
def data_with_issues(write_rectangles, edit_annotations, tmp_path_factory):
    """Rectangles with several kinds of issues, a class with a hostile name, and a near-duplicate between the splits."""
    folder = write_rectangles(tmp_path_factory.mktemp("issues") / "coco", {"train": 6, "val": 3}, size=(96, 80))

    def add_issues(document):
        document["annotations"][0]["bbox"][2] = 0
        document["annotations"][4]["category_id"] = 77
        document["images"].append({"id": 50, "file_name": "gone.png", "width": 96, "height": 80})

    edit_annotations(folder, "train", add_issues)
    for split in ("train", "val"):
        edit_annotations(folder, split, lambda document: document["categories"][2].update(name=HOSTILE))
    (folder / "train" / "3.png").write_bytes((folder / "train" / "3.png").read_bytes()[:-60])
    shutil.copy(folder / "train" / "5.png", folder / "val" / "2.png")
    return folder


@pytest.fixture
def one_image(tmp_path):
    """Writes a COCO folder with one image of 200×100 pixels; boxes are `xywh`, a fifth value is is_crowd."""

    def write(boxes, categories=("cell",), classes=None, name="one_image"):
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


@pytest.fixture
def evaluated():
    """Evaluates black images with the ids 100, 101, … and given objects and detections.

    The objects of each image are (box, class[, crowd]), its detections (box, class, score). `unreadable` more images
    cannot be read. Returns the evaluator, the result and the source.
    """

    def run(images, names=("a", "b", "c"), labels=None, unreadable=0, size=(200, 100)):
        count = len(images) + unreadable
        categories = Categories.from_names(names)

        def read(index):
            if index >= len(images):
                raise ImageError(f"Image {index} is cut short.")
            truth = images[index][0]
            boxes = np.array([row[0] for row in truth], np.float32).reshape(-1, 4)
            sides = (boxes[:, 2:] - boxes[:, :2]) * size
            return {
                "image": np.zeros((*size, 3), np.uint8),
                "image_id": 100 + index,
                "boxes": boxes,
                "classes": np.array([row[1] for row in truth], np.int32),
                "is_crowd": np.array([len(row) > 2 for row in truth], bool),
                "area": np.round(sides[:, 0] * sides[:, 1], 2),
            }

        source = Source(
            name="by hand",
            split="val",
            categories=categories,
            image_ids=np.arange(100, 100 + count),
            issues=Issues(),
            read=read,
            annotated=np.ones(count, bool),
            object_counts=np.ones(count, int),
            labels=[
                *(labels or map("image {}".format, range(len(images)))),
                *map("gone {}".format, range(unreadable)),
            ],
        )
        following = iter(images)

        class GivenDetections:
            """Returns the given detections, image by image."""

            def detect(self, images, batch_size):
                (found,) = (next(following)[1],)
                return {
                    "boxes": np.array([[row[0] for row in found]], np.float64).reshape(1, -1, 4),
                    "classes": np.array([[row[1] for row in found]], np.int64).reshape(1, -1),
                    "scores": np.array([[row[2] for row in found]], np.float64).reshape(1, -1),
                }

        result, evaluator = evaluate_source(GivenDetections(), source, batch_size=1, progress=False)
        return evaluator, result, source

    return run
