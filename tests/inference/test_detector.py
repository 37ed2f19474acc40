"""The loop over any detector: batches, filling, and images that an exported model refuses."""

import itertools

import numpy as np
import pytest

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import RefusedImagesError, detect_each


class Detector:
    """Detects an object whose score is the image, a number; refuses negative numbers."""

    def __init__(self):
        self.calls = []

    def detect(self, images, batch_size, **options):
        self.calls.append((images, batch_size, options))
        if refused := {place: f"Image {image} is refused." for place, image in enumerate(images) if image < 0}:
            raise RefusedImagesError(refused)
        return {"scores": np.array(images)[:, None], "num_detections": np.ones(len(images))}


def scores(results):
    return [str(one) if isinstance(one, ImageError) else one["scores"].item() for one in results]


def test_every_image_gets_its_row():
    results = list(detect_each(Detector(), range(5), batch_size=2))

    assert scores(results) == [0, 1, 2, 3, 4]
    assert [one["num_detections"].shape for one in results] == [()] * 5


def test_the_last_batch_is_as_short_as_it_is():
    detector = Detector()

    assert scores(detect_each(detector, range(5), 2, num_images=5)) == [0, 1, 2, 3, 4]

    assert [images for images, _, _ in detector.calls] == [[0, 1], [2, 3], [4]]


def test_options_and_the_batch_size_reach_the_detector():
    detector = Detector()

    list(detect_each(detector, [1], 4, sampler="greedy", seed=3))

    assert detector.calls == [([1], 4, {"sampler": "greedy", "seed": 3})]


def test_images_are_taken_batch_by_batch():
    taken = []
    results = detect_each(Detector(), (taken.append(number) or number for number in itertools.count()), batch_size=3)

    assert taken == []
    next(results)
    assert taken == [0, 1, 2]


def test_refused_images_become_errors_and_the_others_are_detected_again():
    detector = Detector()

    results = scores(detect_each(detector, [1, -2, 3, -4, 5, -6], batch_size=4))

    assert results == [1, "Image -2 is refused.", 3, "Image -4 is refused.", 5, "Image -6 is refused."]
    assert [images for images, _, _ in detector.calls] == [[1, -2, 3, -4], [1, 3], [5, -6], [5]]


def test_a_batch_may_be_refused_as_a_whole():
    detector = Detector()

    assert scores(detect_each(detector, [-1, -2], batch_size=2)) == ["Image -1 is refused.", "Image -2 is refused."]
    assert len(detector.calls) == 1


def test_a_refused_last_image_is_one_error():
    results = scores(detect_each(Detector(), [1, 2, 3, -4], batch_size=3, num_images=4))

    assert results == [1, 2, 3, "Image -4 is refused."]


def test_other_errors_are_not_caught():
    class Unreachable:
        def detect(self, images, batch_size):
            raise InputError("The server is unavailable.")

    with pytest.raises(InputError, match="unavailable"):
        list(detect_each(Unreachable(), [1]))


def test_a_detector_with_a_loop_of_its_own_runs_that():
    class Own:
        def detect_each(self, images, batch_size, num_images, **options):
            for image in images:
                yield image, batch_size, num_images, options

    assert list(detect_each(Own(), [7], 3, 9, seed=1)) == [(7, 3, 9, {"seed": 1})]


def test_a_model_runs_its_own_loop(tiny_model, tiny_images, monkeypatch):
    images = list((tiny_images[:3] * 255).astype(np.uint8))
    monkeypatch.setattr(tiny_model, "detect", None)

    results = list(detect_each(tiny_model, images, batch_size=2, sampler="greedy", max_objects=2))

    assert [one["boxes"].shape for one in results] == [(2, 4)] * 3
