"""Augmentation moves boxes with their pixels, for every composition that a recipe uses, in the published order."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import yaml
from scipy import stats

import pix2seq_keras
from pix2seq_keras.data import transforms
from pix2seq_keras.data.augmentation import augment, augment_color, augment_geometry
from pix2seq_keras.data.augmentation_options import Augmentation
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import fold

# A red, a green and a blue rectangle on grey: after any colour jitter each is still the most red, green or blue one.
COLORS = np.float32([[0.65, 0.3, 0.3], [0.3, 0.65, 0.3], [0.3, 0.3, 0.65]])
GREY = 0.4
SPEC = {
    "image": tf.TensorSpec((None, None, 3), tf.uint8),
    "boxes": tf.TensorSpec((None, 4), tf.float32),
    "classes": tf.TensorSpec((None,), tf.int32),
    "is_crowd": tf.TensorSpec((None,), tf.bool),
}


def recipes():
    """Parameters (augmentation, canvas): every recipe's own, on a canvas of its shape, but small.

    Without erasing: a box includes the part that is painted over, so its pixels do not show where it ends.
    transforms/test_erase.py tests erasing; that it does not change the other steps is tested below.
    """
    for path in sorted((Path(pix2seq_keras.__file__).parent / "recipes").glob("*.yaml")):
        recipe = yaml.safe_load(path.read_text())
        height, width = recipe.get("model", {}).get("image_size", (640, 640))
        canvas = (round(72 * height / width), 72)
        augmentation = dataclasses.replace(Augmentation(**recipe.get("augmentation", {})), erase=0.0)
        yield pytest.param(augmentation, canvas, id=path.stem)


EVERYTHING = Augmentation(vertical_flip=0.5, rotate=0.75, transpose=0.5, mosaic=0.6, mosaic_min_visible=0.0)
COMPOSITIONS = [
    *recipes(),
    pytest.param(
        Augmentation(vertical_flip=0.5, rotate=0.75, transpose=0.5, color=0.5), (48, 80), id="eight orientations"
    ),
    pytest.param(EVERYTHING, (48, 80), id="mosaics"),
]


def scene(case, channels=(0, 1, 2)):
    """An image with one rectangle for each of `channels`, side by side, its class the channel.

    Every third image is 3:1 or 1:3, every fourth has rectangles that fill it from one end to the other, every fifth
    has rectangles one pixel thin.

    Returns:
        An example of NumPy values, as a source gives it.
    """
    rng = np.random.default_rng([case, *channels])
    size = rng.integers(24, 96, 2)
    if case % 3 == 0:
        side = int(rng.integers(12, 32))
        size = np.array([side, 3 * side] if case % 2 else [3 * side, side])
    image = np.full((*size, 3), GREY, np.float32)
    axis = int(size.argmax())  # the rectangles follow each other along the longer side
    strip = size[axis] // 3
    boxes = []
    for place, channel in zip(rng.permutation(3), channels, strict=False):
        # The last row of a strip stays grey: colours that touch would mix where the image is enlarged.
        along = place * strip + np.sort(rng.choice(strip, 2, replace=False))
        across = np.sort(rng.choice(size[1 - axis] + 1, 2, replace=False))
        if case % 4 == 0:
            across = np.array([0, size[1 - axis]])
        if case % 5 == 0:
            along[1] = along[0] + 1
            if case % 2 and case % 4:
                across[1] = across[0] + 1
        low, high = (np.array(ends)[[axis, 1 - axis]] for ends in zip(along, across, strict=True))
        image[low[0] : high[0], low[1] : high[1]] = COLORS[channel]
        boxes.append(np.concatenate([low / size, high / size]))
    return {
        "image": np.round(image * 255).astype(np.uint8),
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "classes": np.array(channels, np.int32),
        "is_crowd": np.zeros(len(boxes), bool),
    }


def compile_augment(augmentation, canvas):
    """(example, the three others of a mosaic, seed) -> the augmented example and the three colours after the jitter."""

    def run(example, others, seed):
        waiting = iter(others)
        example = augment(example, canvas, augmentation, seed, other=lambda seed: next(waiting))
        return example, augment_color(tf.constant(COLORS[None]), augmentation, seed)[0]

    return tf.function(run, autograph=False, input_signature=[SPEC, [SPEC] * 3, tf.TensorSpec((2,), tf.int32)])


def margin(image, channel):
    """By how much one channel exceeds the others: 0 for grey."""
    return image[..., channel] - np.delete(image, channel, -1).max(-1)


def check_alignment(image, boxes, classes, colors):
    """Asserts that the boxes of the example and the pixels of the three colours agree within one pixel.

    Returns:
        (int, int): how many rectangles were found, and how many were lost.
    """
    height, width = image.shape[:2]
    found = 0
    for channel in range(3):
        shares = margin(image, channel) / margin(colors, channel)[channel]  # 1 where all of a pixel is in the colour
        boxes_pixels = boxes[classes == channel] * [height, width, height, width]
        assert len(boxes_pixels) <= 1
        if shares.max() <= 0.5 + 1e-3:
            # Thin ones may fall between the samples of a resize.
            assert not len(boxes_pixels) or (boxes_pixels[0, 2:] - boxes_pixels[0, :2]).min() < 2, boxes_pixels
            continue
        mask = shares > 0.5 * min(shares.max(), 1) + 1e-3  # thin ones may be blended everywhere
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        pixels = np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])
        assert len(boxes_pixels), f"colour {channel} at {pixels} has no box"
        difference = np.abs(pixels - boxes_pixels[0]).max()
        if difference > 1:
            # Where the crop leaves less than a pixel at its edge, only its blur is visible, which is wider.
            cut = (boxes_pixels[0] <= 0) | (boxes_pixels[0] >= [height, width, height, width])
            thin = np.tile(boxes_pixels[0, 2:] - boxes_pixels[0, :2] < 1, 2)
            assert difference < 1.5 and (cut & thin).any(), (
                f"colour {channel} at {pixels}, its box at {boxes_pixels[0]}, {height}×{width}"
            )
        found += 1
    return found, 3 - found


def compare(augmentation, canvas, cases=200, wrong=lambda boxes: boxes):
    """Runs `check_alignment` over random cases and sums its results; `wrong` changes the boxes first."""
    run, mosaics = compile_augment(augmentation, canvas), augmentation.mosaic > 0
    totals = np.zeros(2, int)
    for case in range(cases):
        # In a mosaic, each image has one colour and one image has none, so that each box is identified.
        channels = [(0,), (1,), (), (2,)] if mosaics else [(0, 1, 2), (), (), ()]
        example, *others = (scene(case + 1000 * bool(number), present) for number, present in enumerate(channels))
        augmented, colors = run(example, others, (case, 3))
        image, boxes, classes = (augmented[key].numpy() for key in ("image", "boxes", "classes"))
        assert image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
        assert image.shape[0] <= canvas[0] and image.shape[1] <= canvas[1]
        assert len(boxes) == len(classes) == len(augmented["is_crowd"])
        if len(boxes):
            assert boxes.min() >= 0 and boxes.max() <= 1 and (boxes[:, 2:] > boxes[:, :2]).all()
        totals += check_alignment(image, wrong(boxes), classes, colors.numpy())
    return totals


@pytest.mark.parametrize(("augmentation", "canvas"), COMPOSITIONS)
def test_pixels_and_boxes_stay_aligned(augmentation, canvas):
    found, lost = compare(augmentation, canvas)

    assert found > 200
    assert lost > 5 or augmentation.max_scale <= 1.1  # enlarged images lose some to the crop


@pytest.mark.parametrize(
    "wrong",
    [
        lambda boxes: boxes[:, [1, 0, 3, 2]],
        lambda boxes: np.stack([boxes[:, 0], 1 - boxes[:, 3], boxes[:, 2], 1 - boxes[:, 1]], 1),
        lambda boxes: boxes + np.float32(1.6 / 72),
        lambda boxes: boxes * np.float32([0.95, 1, 0.95, 1]),
        lambda boxes: boxes[::-1],
        lambda boxes: np.clip(boxes, 0.04, 1),
    ],
    ids=["axes swapped", "not flipped", "moved by 1.6 pixels", "another frame", "another order", "clipped short"],
)
def test_the_alignment_check_detects_wrong_boxes(wrong):
    with pytest.raises(AssertionError, match="its box at"):
        compare(Augmentation(), (72, 72), wrong=wrong)


# === The published steps, in their order ===


def test_the_default_is_the_published_order_with_fixed_seed_names():
    """Runs are resumed bit for bit: neither the order nor the names of the random streams may change."""
    example, canvas = scene(7), (48, 64)

    for case in range(5):
        seed = tf.constant([case, 9])
        image, boxes = transforms.to_float(example["image"]), tf.constant(example["boxes"])
        image, boxes = transforms.scale_jitter(image, boxes, canvas, seed=fold(seed, "scale"))
        image, boxes = transforms.random_crop(image, boxes, canvas, seed=fold(seed, "crop"))
        image, boxes = transforms.random_horizontal_flip(image, boxes, seed=fold(seed, "flip"))
        image = transforms.color_jitter(image, strength=0.5, seed=fold(seed, "color"))
        expected = transforms.drop_crowds_and_dead_boxes({**example, "image": image, "boxes": boxes})

        augmented = augment(example, canvas, Augmentation(color=0.5), seed)

        assert augmented.keys() == expected.keys()
        for key in expected:
            np.testing.assert_array_equal(augmented[key], expected[key])


def test_enabling_one_step_does_not_change_the_others():
    example, canvas, seed = scene(4), (48, 64), (2, 5)
    still = Augmentation()

    plain, _ = augment_geometry(example["image"], example["boxes"], canvas, still, seed)
    more = Augmentation(vertical_flip=1.0, color=0.3, erase=1.0)
    flipped, _ = augment_geometry(example["image"], example["boxes"], canvas, more, seed)

    np.testing.assert_array_equal(flipped, plain[::-1])


# === Mosaics and erasing in the chain ===


def test_mosaics_have_their_probability_and_only_they_read_other_images():
    reads = []

    def read(seed):
        reads.append(tuple(seed))
        return np.zeros((8, 8, 3), np.uint8), np.float32([[0, 0, 1, 1]])

    def other(seed):
        image, boxes = tf.numpy_function(read, [seed], [tf.uint8, tf.float32])
        image, boxes = tf.ensure_shape(image, (None, None, 3)), tf.ensure_shape(boxes, (None, 4))
        return {"image": image, "boxes": boxes, "classes": tf.constant([5])}

    def one(index):
        example = {"image": tf.zeros((8, 8, 3), tf.uint8), "boxes": tf.zeros((0, 4)), "classes": tf.zeros(0, tf.int32)}
        augmentation = Augmentation(1.0, 1.0, mosaic=0.3, mosaic_min_visible=0.0)
        return augment(example, (32, 32), augmentation, tf.stack([tf.cast(index, tf.int32), 0]), other)["classes"]

    counts = np.array([len(classes) for classes in tf.data.Dataset.range(300).map(one)])

    assert set(counts) == {0, 3}
    assert stats.binomtest(int((counts > 0).sum()), 300, 0.3).pvalue > 1e-3
    assert len(reads) == counts.sum()
    assert len(set(reads)) == len(reads)  # every image is read with a different seed


def test_a_mosaic_without_other_images_is_refused():
    with pytest.raises(InputError, match=r"mosaic=0\.5, other=None"):
        augment(scene(0), (48, 48), Augmentation(mosaic=0.5), (0, 0))


def test_erased_objects_are_no_targets():
    example = scene(1)
    options = {"min_scale": 1.0, "max_scale": 1.0, "flip": 0.0, "erase": 1.0, "erase_count": 40, "erase_max_area": 0.3}

    kept = augment(example, (48, 48), Augmentation(**options, erase_min_visible=0.0), (0, 0))
    dropped = augment(example, (48, 48), Augmentation(**options, erase_min_visible=0.9), (0, 0))

    assert len(kept["boxes"]) == 3
    assert len(dropped["boxes"]) == len(dropped["classes"]) == 0
    np.testing.assert_array_equal(kept["image"], dropped["image"])


def test_erasing_changes_one_rectangle_and_no_boxes():
    options = {"color": 0.5, "transpose": 0.5, "erase_min_visible": 0.0}
    for case in range(8):
        plain = augment(scene(case), (48, 64), Augmentation(**options), (case, 6))
        erased = augment(scene(case), (48, 64), Augmentation(**options, erase=1.0), (case, 6))

        np.testing.assert_array_equal(erased["boxes"], plain["boxes"])
        np.testing.assert_array_equal(erased["classes"], plain["classes"])
        painted = (erased["image"] != plain["image"]).numpy().any(-1)
        rows, columns = painted.any(1), painted.any(0)
        assert 0 < painted.sum() <= 0.25 * painted.size + 1
        assert (painted == rows[:, None] & columns[None]).all()


def test_the_same_seed_gives_the_same_example_with_all_steps_enabled():
    examples = [scene(case, (0, 1, 2)[: case % 4]) for case in range(6)]
    everything = Augmentation(color=0.5, vertical_flip=0.5, rotate=0.5, transpose=0.5, erase=0.5, mosaic=0.5)

    def prepare(index, example):
        return augment(example, (40, 56), everything, tf.stack([tf.cast(index, tf.int32), 4]), lambda seed: example)

    data = tf.data.Dataset.from_generator(lambda: iter(examples), output_signature=SPEC).enumerate().map(prepare)
    first, second = list(data), list(data)

    for one, again in zip(first, second, strict=True):
        assert len(one["boxes"]) == len(one["classes"]) == len(one["is_crowd"])
        for key in one:
            np.testing.assert_array_equal(one[key], again[key])


def test_crowds_are_dropped():
    example = {**scene(1), "is_crowd": np.array([False, True, False])}

    augmented = augment(example, (96, 96), Augmentation(1.0, 1.0), (0, 0))

    np.testing.assert_array_equal(augmented["classes"], [0, 2])


@pytest.mark.parametrize("step", ["rotate", "transpose"])
def test_objects_of_a_rotated_image_are_as_large_as_in_the_upright_image(step):
    image = tf.zeros([60, 80, 3], tf.uint8)
    boxes = tf.constant([[0.45, 0.45, 0.55, 0.55]])  # 6 × 8 pixels in the middle, which no crop below cuts

    sides = set()
    for number in range(12):
        augmentation = Augmentation(min_scale=1.0, max_scale=1.0, flip=0.0, **{step: 0.5})
        rotated, found = augment_geometry(image, boxes, (30, 40), augmentation, (0, number))
        lengths = (found[0, 2:] - found[0, :2]) * tf.cast(tf.shape(rotated)[:2], tf.float32)
        sides.add(tuple(np.round(lengths.numpy(), 3)))
        assert (rotated.shape[0], rotated.shape[1]) == ((30, 40) if lengths[0] < lengths[1] else (30, 30))

    assert sides == {(3.0, 4.0), (4.0, 3.0)}
