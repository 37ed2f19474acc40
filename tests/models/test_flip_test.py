"""Flip test: half of the samples are of the flipped image, and their boxes are flipped back."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError
from pix2seq_keras.models.ensemble import merge_detections
from pix2seq_keras.models.flip_test import flip_back, with_flipped, with_flipped_seeds


def flipped(boxes, classes):
    """Boxes (B, n, 4) of flipped images as boxes of the images; unused rows stay 0."""
    other = np.stack([boxes[..., 0], 1 - boxes[..., 3], boxes[..., 2], 1 - boxes[..., 1]], -1)
    return np.where((classes >= 0)[..., None], other, 0).astype(np.float32)


def test_images_are_flipped_in_place_and_padding_stays():
    canvases = np.random.default_rng(0).uniform(size=(3, 4, 6, 3)).astype(np.float32)
    unpadded = np.int32([[4, 6], [4, 2], [1, 5]])

    both = with_flipped(tf.constant(canvases), tf.constant(unpadded)).numpy()

    np.testing.assert_array_equal(both[0::2], canvases)
    for row, width in enumerate(unpadded[:, 1]):
        np.testing.assert_array_equal(both[2 * row + 1, :, :width], canvases[row, :, :width][:, ::-1])
        np.testing.assert_array_equal(both[2 * row + 1, :, width:], canvases[row, :, width:])
    whole = tf.constant([[4, 6]] * 3)
    np.testing.assert_array_equal(with_flipped(tf.constant(canvases), whole)[1::2], canvases[:, :, ::-1])


def test_a_flipped_image_has_another_seed():
    seeds = with_flipped_seeds(np.int32([0, 7, -(2**31), 2**31 - 1])).numpy()

    assert seeds.dtype == np.int32 and seeds[0::2].tolist() == [0, 7, -(2**31), 2**31 - 1]
    assert (seeds[0::2] != seeds[1::2]).all()


def test_boxes_of_the_second_half_of_the_samples_are_flipped_back():
    boxes = np.random.default_rng(1).uniform(size=(8, 5, 4)).astype(np.float32)  # two images, four samples
    classes = np.random.default_rng(2).integers(-1, 3, (8, 5)).astype(np.int32)
    boxes[classes < 0] = 0

    back = flip_back({"boxes": tf.constant(boxes), "classes": tf.constant(classes)}, 4)["boxes"].numpy()

    for rows in (slice(0, 2), slice(4, 6)):
        np.testing.assert_array_equal(back[rows], boxes[rows])
    for rows in (slice(2, 4), slice(6, 8)):
        np.testing.assert_allclose(back[rows], flipped(boxes[rows], classes[rows]), atol=1e-7)


@pytest.mark.parametrize("num_samples", [2, 4])
@pytest.mark.parametrize("form", ["canvases", "tall", "wide", "mixed"])
def test_it_merges_detections_of_the_image_and_of_its_flip(tiny_model, tiny_images, form, num_samples):
    # At the scale of the canvas, so that flipping before and after fitting to the canvas gives the same pixels.
    images = np.asarray(tiny_images[:3])
    if form == "mixed":
        pixels = (images * 255).astype(np.uint8)
        images = [pixels[0, :, :20], pixels[1, :20], pixels[2]]
    elif form != "canvases":
        cut = images[:, :, :20] if form == "tall" else images[:, :20]
        images = list((cut * 255).astype(np.uint8))

    found = tiny_model.detect(images, batch_size=2, num_samples=num_samples, flip_test=True, seed=5)

    others = [image[:, ::-1] for image in images]
    others = np.stack(others) if form == "canvases" else others
    half = num_samples // 2
    seeds = [np.int32((seed - k * 1640531527 + 2**31) % 2**32 - 2**31) for seed in (5, ~5) for k in range(half)]
    alone = [tiny_model.detect(images, seed=seed) for seed in seeds[:half]]
    for seed in seeds[half:]:
        other = tiny_model.detect(others, seed=seed)
        alone.append({**other, "boxes": flipped(other["boxes"], other["classes"])})
    for row in range(3):
        rows = {name: tf.stack([one[name][row] for one in alone]) for name in ("boxes", "classes", "scores")}
        for name, values in merge_detections(rows, num_samples).items():
            np.testing.assert_allclose(found[name][row], values[0], atol=1e-5)


def test_an_image_and_its_flip_are_two_samples_even_of_a_sampler_that_does_not_draw(tiny_model, tiny_images):
    found = tiny_model.detect(tiny_images, num_samples=2, flip_test=True, sampler="greedy")

    plain = tiny_model.detect(tiny_images, sampler="greedy")
    assert found["scores"].shape[1] == 2 * plain["scores"].shape[1]


def test_only_detect_flips(tiny_model, tiny_images):
    with pytest.raises(InputError, match="`flip_test=True` requires `detect`"):
        tiny_model.generate(tiny_images, num_samples=2, flip_test=True)
    with pytest.raises(InputError, match="requires an even `num_samples`"):
        tiny_model.detect(tiny_images, num_samples=3, flip_test=True)


@pytest.mark.parametrize("options", [{"multi_label": False}, {"constrained": False}])
def test_batches_of_any_size_give_the_same(tiny_model, tiny_images, options):
    options = {"num_samples": 2, "flip_test": True, **options}
    images = [(image * 255).astype(np.uint8)[: 10 + 9 * row] for row, image in enumerate(tiny_images[:3])]

    expected = tiny_model.detect(images, batch_size=3, **options)

    for name, values in tiny_model.detect(images, batch_size=2, **options).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5)


def test_xla_gives_the_same_and_its_last_batch_is_filled(tiny_model, tiny_images):
    options = {"num_samples": 2, "flip_test": True}
    images = [(image * 255).astype(np.uint8)[: 10 + 9 * row] for row, image in enumerate(tiny_images[:3])]

    compiled = tiny_model.detect(images, batch_size=2, jit_compile=True, **options)

    for name, values in tiny_model.detect(images, batch_size=3, **options).items():
        np.testing.assert_allclose(compiled[name], values, atol=1e-5)
