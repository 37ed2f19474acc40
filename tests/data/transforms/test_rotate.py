import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.data.transforms import random_rotation, random_transpose
from pix2seq_keras.data.transforms.rotate import rotate
from pix2seq_keras.errors import InputError

TRANSFORMS = {"transpose": random_transpose, "rotation": random_rotation}


@pytest.fixture(params=TRANSFORMS)
def transform(request):
    return TRANSFORMS[request.param]


def test_pixels_and_boxes_stay_aligned(rectangles, transform):
    change = rectangles.graph(lambda image, boxes, seed: transform(image, boxes, probability=0.75, seed=seed))

    changed = 0
    for case in range(200):
        original, original_boxes = rectangles.draw(case)
        image, boxes = change(original, original_boxes, (case, 1))
        assert rectangles.check_alignment(image.numpy(), boxes)
        changed += not np.array_equal(image, original)

    assert 120 < changed < 180


def test_a_transpose_exchanges_rows_and_columns(rectangles):
    original, boxes = rectangles.draw(2)

    image, transposed = random_transpose(original, boxes, probability=1.0, seed=(0, 0))

    np.testing.assert_array_equal(image, original.swapaxes(0, 1))
    np.testing.assert_array_equal(transposed, boxes[:, [1, 0, 3, 2]])


@pytest.mark.parametrize("quarters", range(4))
def test_rotations_equal_those_of_numpy(rectangles, quarters):
    for case in range(50):
        original, boxes = rectangles.draw(case)

        image, rotated = rotate(original, boxes, tf.constant(quarters))

        np.testing.assert_array_equal(image, np.rot90(original, quarters))
        assert rectangles.check_alignment(np.asarray(image), rotated)


def test_four_rotations_by_90_degrees_give_the_image_back(rectangles):
    original, original_boxes = image, boxes = rectangles.draw(5)

    for _ in range(4):
        image, boxes = rotate(image, boxes, tf.constant(1))

    np.testing.assert_array_equal(image, original)
    np.testing.assert_allclose(boxes, original_boxes, atol=1e-6)


@pytest.mark.parametrize("probability", [0.0, 0.6, 1.0])
def test_the_angles_are_equally_likely(probability):
    image = tf.reshape(tf.range(12.0), (2, 2, 3))

    @tf.function(autograph=False)
    def corners():
        one = lambda index: random_rotation(image, tf.zeros((0, 4)), probability=probability, seed=(index, 5))[0]
        return tf.map_fn(lambda index: one(index)[0, 0, 0], tf.range(1200), fn_output_signature=tf.float32)

    shares = np.bincount(corners().numpy().astype(int) // 3, minlength=4) / 1200

    np.testing.assert_allclose(shares, [1 - probability, *[probability / 3] * 3], atol=0.05)
    assert (shares[0] == 1) == (probability == 0) and (shares[0] == 0) == (probability == 1)


def test_uint8_images_stay_uint8(transform):
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)

    changed, _ = transform(image, tf.zeros((0, 4)), probability=1.0, seed=(0, 0))

    assert changed.dtype == tf.uint8
    assert sorted(changed.numpy().ravel()) == sorted(image.ravel())


def test_images_without_boxes_pass(no_boxes, transform):
    image, boxes = transform(*no_boxes, probability=1.0, seed=(1, 1))

    assert image.shape in [(30, 50, 3), (50, 30, 3)]
    assert boxes.shape == (0, 4)


@pytest.mark.parametrize("probability", [-0.1, 1.5, float("nan")])
def test_an_impossible_probability_is_refused(no_boxes, transform, probability):
    with pytest.raises(InputError, match=r"must be in \[0, 1\]"):
        transform(*no_boxes, probability=probability, seed=(0, 1))
