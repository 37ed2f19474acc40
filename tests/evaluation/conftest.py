"""A source in memory, and detectors that return the ground truth."""

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.source import Source

ABC = Categories(ids=(0, 5, 9), names=("a", "b", "c"))


def example_of(index):
    """An image whose pixels are all `index`, with two objects of different classes."""
    rng = np.random.default_rng(index)
    corner = rng.uniform(0, 0.5, (2, 2))
    height, width = 40 + index, 60
    boxes = np.concatenate([corner, corner + 0.3], axis=-1).astype(np.float32)
    return {
        "image": np.full((height, width, 3), index, np.uint8),
        "image_id": 1000 + index,
        "boxes": boxes,
        "classes": np.array([index % 3, (index + 1) % 3], np.int32),
        "is_crowd": np.zeros(2, bool),
        "area": np.full(2, 0.3 * 0.3 * height * width, np.float32),
    }


class Oracle:
    """Detects exactly the objects of `example_of`, in three rows, and records its calls."""

    def __init__(self, categories=ABC, to_own_class=(0, 1, 2), blind=()):
        self.categories = categories
        self.to_own_class = np.array(to_own_class)
        self.blind = blind
        self.calls = []

    def detect(self, images, **options):
        numbers = [int(image[0, 0, 0]) for image in images]
        self.calls.append((numbers, options))
        boxes = np.zeros((len(images), 3, 4), np.float32)
        classes = np.full((len(images), 3), -1)
        scores = np.zeros((len(images), 3), np.float32)
        for row, number in enumerate(numbers):
            if number not in self.blind:
                example = example_of(number)
                boxes[row, :2], scores[row, :2] = example["boxes"], (0.9, 0.8)
                classes[row, :2] = self.to_own_class[example["classes"]]
        return {
            "boxes": boxes,
            "classes": classes,
            "scores": scores,
            "num_detections": (classes >= 0).sum(-1),
        }


@pytest.fixture
def oracle():
    return Oracle


@pytest.fixture
def make_source():
    def make(count=7, unreadable=(), categories=ABC):
        def read(index):
            if index in unreadable:
                raise ImageError(f"'{index}.png' is cut short.")
            return example_of(index)

        return Source(
            name="memory",
            split="val",
            categories=categories,
            image_ids=np.arange(1000, 1000 + count),
            issues=Issues(),
            read=read,
            annotated=np.ones(count, bool),
            object_counts=np.full(count, 2),
        )

    return make
