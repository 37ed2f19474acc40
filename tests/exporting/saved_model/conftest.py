"""A model with categories, images for its signatures, and the comparison of an answer with `detect`."""

import io

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import Categories

CATEGORIES = Categories(ids=(3, 5, 90), names=("cell", "Ei", "größer"))


@pytest.fixture(scope="session")
def model(build_tiny_model):
    return build_tiny_model(3, decoder_layers=2, categories=CATEGORIES)


@pytest.fixture(scope="session")
def images():
    """Three images of different sizes and shapes, uint8."""
    rng = np.random.default_rng(5)
    small = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((6, 8), (9, 3), (5, 5))]
    sizes = ((64, 48), (20, 60), (32, 32))
    return [np.asarray(Image.fromarray(one).resize(size)) for one, size in zip(small, sizes, strict=True)]


@pytest.fixture(scope="session")
def png():
    """A function (image) -> the bytes of a PNG file."""

    def encode(image):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def assert_equals_detect():
    """Checks that an answer of the graph equals the result of `detect`, with ids and names instead of classes."""

    def check(answer, detections, rows=slice(None)):
        answer = {name: value.numpy()[rows] for name, value in answer.items()}
        classes = detections["classes"]
        ids, names = np.array([0, *CATEGORIES.ids]), np.array(["", *CATEGORIES.names], object)
        np.testing.assert_allclose(answer["detection_scores"], detections["scores"], atol=1e-5)
        np.testing.assert_allclose(answer["detection_boxes"], detections["boxes"], atol=1e-5)
        np.testing.assert_array_equal(answer["detection_classes"], ids[classes + 1])
        found_names = [[name.decode() for name in row] for row in answer["detection_names"]]
        assert found_names == names[classes + 1].tolist()
        np.testing.assert_array_equal(answer["num_detections"], (classes >= 0).sum(-1))
        assert all(answer[name].dtype == np.float32 for name in answer if name != "detection_names")

    return check
