"""Half of the readings are of the mirrored image, and their boxes come back to where the objects are."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError
from pix2seq_keras.models.ensemble import agreed
from pix2seq_keras.models.flip_test import mirrored_back, with_mirrored, with_seeds_for_mirrored


def mirrored(boxes, classes):
    """Boxes (B, n, 4) of mirrored images as boxes of the images; unused rows stay 0."""
    turned = np.stack([boxes[..., 0], 1 - boxes[..., 3], boxes[..., 2], 1 - boxes[..., 1]], -1)
    return np.where((classes >= 0)[..., None], turned, 0).astype(np.float32)


def test_images_are_mirrored_in_place_and_padding_stays():
    canvases = np.random.default_rng(0).uniform(size=(3, 4, 6, 3)).astype(np.float32)
    unpadded = np.int32([[4, 6], [4, 2], [1, 5]])

    both = with_mirrored(tf.constant(canvases), tf.constant(unpadded)).numpy()

    np.testing.assert_array_equal(both[0::2], canvases)
    for row, width in enumerate(unpadded[:, 1]):
        np.testing.assert_array_equal(both[2 * row + 1, :, :width], canvases[row, :, :width][:, ::-1])
        np.testing.assert_array_equal(both[2 * row + 1, :, width:], canvases[row, :, width:])
    np.testing.assert_array_equal(with_mirrored(tf.constant(canvases), None)[1::2], canvases[:, :, ::-1])


def test_the_mirrored_image_s_draws_are_others():
    seeds = with_seeds_for_mirrored(np.int32([0, 7, -(2**31), 2**31 - 1])).numpy()

    assert seeds.dtype == np.int32 and seeds[0::2].tolist() == [0, 7, -(2**31), 2**31 - 1]
    assert (seeds[0::2] != seeds[1::2]).all()


def test_boxes_of_the_second_half_of_the_readings_come_back():
    boxes = np.random.default_rng(1).uniform(size=(8, 5, 4)).astype(np.float32)  # two images, four readings
    classes = np.random.default_rng(2).integers(-1, 3, (8, 5)).astype(np.int32)
    boxes[classes < 0] = 0

    back = mirrored_back({"boxes": tf.constant(boxes), "classes": tf.constant(classes)}, 4)["boxes"].numpy()

    for rows in (slice(0, 2), slice(4, 6)):
        np.testing.assert_array_equal(back[rows], boxes[rows])
    for rows in (slice(2, 4), slice(6, 8)):
        np.testing.assert_allclose(back[rows], mirrored(boxes[rows], classes[rows]), atol=1e-7)


@pytest.mark.parametrize("readings", [2, 4])
@pytest.mark.parametrize("form", ["canvases", "tall", "wide", "mixed"])
def test_it_is_detect_of_the_image_and_of_its_mirror_image(tiny_model, tiny_images, form, readings):
    # Of the canvas's own scale, so that mirroring before and after the fit to the canvas gives the same pixels.
    images = np.asarray(tiny_images[:3])
    if form == "mixed":
        pixels = (images * 255).astype(np.uint8)
        images = [pixels[0, :, :20], pixels[1, :20], pixels[2]]
    elif form != "canvases":
        cut = images[:, :, :20] if form == "tall" else images[:, :20]
        images = list((cut * 255).astype(np.uint8))

    found = tiny_model.detect(images, batch_size=2, readings=readings, mirror=True, seed=5)

    turned = [image[:, ::-1] for image in images]
    turned = np.stack(turned) if form == "canvases" else turned
    one = lambda images, seed: tiny_model.detect(images, seed=seed)
    for row in range(3):
        seeds = [
            np.int32((seed - k * 1640531527 + 2**31) % 2**32 - 2**31) for seed in (5, ~5) for k in range(readings // 2)
        ]
        half = len(seeds) // 2
        alone = [one(images[row : row + 1], seed) for seed in seeds[:half]]
        for seed in seeds[half:]:
            other = one(turned[row : row + 1], seed)
            alone.append({**other, "boxes": mirrored(other["boxes"], other["classes"])})
        rows = {name: tf.concat([result[name] for result in alone], 0) for name in ("boxes", "classes", "scores")}
        for name, values in agreed(rows, readings).items():
            np.testing.assert_allclose(found[name][row], values[0], atol=1e-5)


def test_a_image_and_its_mirror_image_are_two_readings_even_of_a_sampler_that_does_not_draw(tiny_model, tiny_images):
    found = tiny_model.detect(tiny_images, readings=2, mirror=True, sampler="greedy")

    plain = tiny_model.detect(tiny_images, sampler="greedy")
    assert found["scores"].shape[1] == 2 * plain["scores"].shape[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "must be even. Received: mirror=True, readings=1"),
        ({"readings": 3}, "must be even. Received: mirror=True, readings=3"),
        ({"readings": 18}, "readings must be a whole number from 1 to 16"),
        ({"readings": 2.0}, "readings must be a whole number"),
        ({"readings": 4, "sampler": "greedy"}, "a sampler that draws.*Received: mirror=True, readings=4"),
    ],
)
def test_what_cannot_be_halved_is_refused(tiny_model, tiny_images, options, said):
    with pytest.raises(InputError, match=said):
        tiny_model.detect(tiny_images, mirror=True, **options)


@pytest.mark.parametrize("mirror", ["no", 1, None, np.array([True, False])])
def test_what_is_neither_true_nor_false_is_refused(tiny_model, tiny_images, mirror):
    with pytest.raises(InputError, match=r"mirror must be True or False\. Received: mirror="):
        tiny_model.detect(tiny_images, readings=2, mirror=mirror)


def test_numbers_of_numpy_are_numbers(tiny_model, tiny_images):
    expected = tiny_model.detect(tiny_images, readings=4, mirror=True)
    for name, values in tiny_model.detect(tiny_images, readings=np.int64(4), mirror=np.True_).items():
        np.testing.assert_array_equal(values, expected[name])


@pytest.mark.parametrize("options", [{"multi_label": False}, {"constrained": False}, {"jit_compile": True}])
def test_batches_of_any_size_find_the_same(tiny_model, tiny_images, options):
    how = {"readings": 2, "mirror": True, **options}
    images = [(np.asarray(image) * 255).astype(np.uint8)[: 10 + 9 * row] for row, image in enumerate(tiny_images[:3])]
    expected = tiny_model.detect(images, batch_size=3, **how)
    for name, values in tiny_model.detect(images, batch_size=2, **how).items():  # XLA's last batch is filled up
        np.testing.assert_allclose(values, expected[name], atol=1e-5)
