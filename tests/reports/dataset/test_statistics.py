"""Statistics of the images of a split."""

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.reports.dataset.scan import ScannedImage
from pix2seq_keras.reports.dataset.statistics import compute_statistics

CATEGORIES = Categories(ids=(3, 7), names=("a", "b"))


@pytest.fixture
def image():
    """A function from classes and areas of objects to a `ScannedImage`."""

    def build(classes, areas, num_crowds=0, size=(100, 200)):
        return ScannedImage(0, *size, np.array(classes, np.int32), np.array(areas, np.float32), num_crowds, None)

    return build


def test_object_sizes_are_those_of_coco_and_crowds_are_counted_separately(image):
    areas = [31 * 32, 32 * 32, 96 * 96, 97 * 96]

    statistics = compute_statistics([image([0] * 4, areas, num_crowds=1)], CATEGORIES, 100)

    assert statistics["object_sizes"] == {"small": 1, "medium": 2, "large": 1}
    assert (statistics["objects"], statistics["crowds"]) == (4, 1)
    assert statistics["classes"][1]["objects"] == 0


def test_classes_are_counted_by_object_and_by_image(image):
    images = [image([0, 0, 1], [9, 9, 9]), image([0], [9]), image([], [])]

    first, second = compute_statistics(images, CATEGORIES, 100)["classes"]

    assert (first["name"], first["id"], first["objects"], first["images"], first["max_per_image"]) == ("a", 3, 3, 2, 2)
    assert (second["objects"], second["images"], second["max_per_image"], second["small"]) == (1, 1, 1, 1)


def test_objects_over_the_limit_and_image_sizes_are_counted(image):
    images = [image([0] * 7, [9] * 7), image([0], [9]), image([], [], size=(50, 60))]

    statistics = compute_statistics(images, CATEGORIES, 5)

    expected = {"max_objects": 5, "longest_tokens": 35, "images_over_limit": 1, "objects_over_limit": 2}
    assert statistics["sequences"] == expected
    assert statistics["objects_per_image"]["histogram"] == [1, 1, 0, 0, 0, 0, 0, 1]
    assert statistics["image_sizes"][0] == {"width": 200, "height": 100, "images": 2}


def test_a_split_without_images_has_statistics():
    statistics = compute_statistics([], CATEGORIES, 5)

    assert (statistics["images"], statistics["objects"], statistics["objects_per_image"]["mean"]) == (0, 0, 0.0)
