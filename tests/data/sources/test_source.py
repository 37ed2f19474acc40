"""A source returns its readable images in order and reports the others."""

import time

import numpy as np
import pytest

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import ImageError
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError


def numbered_source(count, unreadable=(), objects=1):
    def read(index):
        time.sleep(0.004 * (index % 3))  # threads finish in another order than they start
        if index in unreadable:
            raise ImageError(f"Image {index} is truncated.")
        return {
            "image": np.full((2, 3, 3), index, np.uint8),
            "image_id": np.int64(100 + index),
            "boxes": np.tile(np.float32([[0, 0, 1, 1]]), (objects, 1)),
            "classes": np.zeros(objects, np.int32),
            "is_crowd": np.zeros(objects, bool),
            "area": np.full(objects, 6, np.float32),
        }

    return Source(
        name="test",
        split="train",
        categories=Categories.from_names(["a"]),
        image_ids=100 + np.arange(count),
        issues=Issues(),
        read=read,
        annotated=np.full(count, objects > 0),
        object_counts=np.full(count, objects),
    )


def test_the_dataset_keeps_the_order_without_unreadable_images():
    source = numbered_source(30, unreadable=(0, 7, 29))

    ids = [int(example["image_id"]) for example in source.dataset()]

    assert ids == [100 + i for i in range(30) if i not in (0, 7, 29)]
    assert source.issues.counts() == {"unreadable image": 3}
    assert "image 107 of test (train)" in source.issues.summary()


def test_a_second_epoch_reports_nothing_new():
    source = numbered_source(5, unreadable=(2,))

    for _ in range(2):
        assert len(list(source.dataset())) == 4

    assert len(source.issues) == 1


def test_a_source_without_objects_cannot_be_trained_on():
    assert numbered_source(2).require_annotated() is not None
    with pytest.raises(InputError, match="must have at least one usable object"):
        numbered_source(2, objects=0).require_annotated()


def test_images_without_objects_keep_their_shapes_in_the_dataset():
    example = next(iter(numbered_source(1, objects=0).dataset()))

    assert example["boxes"].shape == (0, 4) and example["classes"].shape == (0,)
