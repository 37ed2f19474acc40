"""The training pipeline on seven numbered images, and the content of its batches."""

import numpy as np
import pytest

from pix2seq_keras import Vocabulary
from pix2seq_keras.data import Augmentation, training_dataset
from pix2seq_keras.sequences import SequenceOptions

VOCABULARY = Vocabulary(3, 1000)
STILL = Augmentation(min_scale=1.0, max_scale=1.0, flip=0.0)
PLAIN = SequenceOptions(max_objects=4, noise=False, input_classes="none")
SIZE = (48, 40)  # width, height: the canvas too, so that the corner of an unchanged image has its number


@pytest.fixture
def folder(write_rectangles, tmp_path):
    return write_rectangles(tmp_path / "coco", {"train": 7}, SIZE, lambda index: 10 * (index + 1))


@pytest.fixture
def wild():
    return Augmentation(min_scale=0.5, max_scale=2.0, flip=0.5, color=0.3)


@pytest.fixture
def dataset():
    def build(source, augmentation=STILL, sequence=PLAIN, batch_size=1, vocabulary=VOCABULARY, **options):
        return training_dataset(source, vocabulary, (SIZE[1], SIZE[0]), batch_size, sequence, augmentation, **options)

    return build


@pytest.fixture
def batches():
    """A function that returns the first `count` batches, each a flat tuple of arrays."""

    def take(data, count):
        found = data.take(count).as_numpy_iterator()
        return [(x["images"], x["tokens"], targets, weights) for x, targets, weights in found]

    return take


@pytest.fixture
def image_order(batches):
    """A function that returns the numbers of the images in their order."""

    def numbers(data, count):
        corners = [image[0, 0, 0, 0] for image, *_ in batches(data, count)]
        return [round(float(corner) * 255 / 10) - 1 for corner in corners]

    return numbers


@pytest.fixture
def assert_same():
    def compare(one, other):
        for left, right in zip(one, other, strict=True):
            for a, b in zip(left, right, strict=True):
                np.testing.assert_array_equal(a, b)

    return compare


@pytest.fixture
def objects_of():
    """A function that returns boxes, in pixels of the canvas, and classes of the real objects in a row of targets."""

    def read(targets):
        rows = targets.reshape(-1, 5)
        classes = np.full(len(rows), -1)
        for index, token in enumerate(VOCABULARY.class_tokens):
            classes[rows[:, 4] == token] = index
        shares = (rows[:, :4] - VOCABULARY.coord_shift) / (VOCABULARY.num_bins - 1)
        return (shares * [SIZE[1], SIZE[0], SIZE[1], SIZE[0]])[classes >= 0], classes[classes >= 0]

    return read


@pytest.fixture
def classes_of(objects_of):
    return lambda targets: objects_of(targets)[1]
