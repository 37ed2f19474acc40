"""Tokens describe the pixels of their image."""

import numpy as np
import pytest

from pix2seq_keras.data import Augmentation, open_source


def box_of_colour(image, channel):
    """The box of one colour in pixels of the canvas, or None."""
    others = [other for other in range(3) if other != channel]
    ys, xs = np.nonzero((image[..., channel] > 0.5) & (image[..., others] < 0.5).all(-1))
    return None if not len(ys) else np.array([ys.min(), xs.min(), ys.max() + 1, xs.max() + 1])


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(1.0, 1.0, flip=0.0),
        Augmentation(1.0, 1.0, flip=1.0),
        Augmentation(0.5, 1.0, flip=0.0),
        Augmentation(0.6, 2.0, flip=0.5),
    ],
    ids=["still", "flipped", "smaller", "scaled, cropped and flipped"],
)
def test_every_object_is_in_the_pixels_where_its_tokens_place_it(
    write_rectangles, tmp_path, augmentation, dataset, batches, objects_of
):
    folder = write_rectangles(tmp_path / "coco", {"train": 8}, (120, 90))
    data = dataset(open_source(f"coco:{folder}", "train"), augmentation, batch_size=8)

    compared, misses = 0, []
    for images, _, targets, _ in batches(data, 3):
        for image, row in zip(images, targets, strict=True):
            for box, channel in zip(*objects_of(row), strict=True):
                if (box[2:] - box[:2]).min() < 3:  # a sliver at the border of the crop may have no full pixel
                    continue
                found = box_of_colour(image, channel)
                assert found is not None
                misses.append(np.abs(found - box).max())
                compared += 1

    assert compared >= 30
    assert max(misses) <= 1.25, "pixels"
    assert np.mean(misses) < 0.75


def test_objects_outside_the_crop_are_no_targets(write_rectangles, tmp_path, dataset, batches, classes_of):
    folder = write_rectangles(tmp_path / "coco", {"train": 8}, (120, 90))
    data = dataset(open_source(f"coco:{folder}", "train"), Augmentation(2.0, 2.0, flip=0.0), batch_size=8)
    numbers = []
    for images, _, targets, _ in batches(data, 3):
        for image, row in zip(images, targets, strict=True):
            visible = {channel for channel in range(3) if box_of_colour(image, channel) is not None}
            assert visible <= set(classes_of(row))
            numbers.append(len(classes_of(row)))
    assert min(numbers) < 3
