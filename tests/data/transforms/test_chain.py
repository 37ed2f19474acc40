"""The transforms one after the other, as the training pipeline composes them."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.boxes import rescale_boxes
from pix2seq_keras.data import transforms


def chain(canvas):
    """Scale jitter, crop, flip and padding to `canvas`, as one function of (image, boxes, seed)."""

    def run(image, boxes, seed):
        image, boxes = transforms.scale_jitter(image, boxes, canvas, seed=seed)
        image, boxes = transforms.random_crop(image, boxes, canvas, seed=seed)
        image, boxes = transforms.random_horizontal_flip(image, boxes, seed=seed)
        boxes = rescale_boxes(boxes, tf.shape(image)[:2], canvas)
        return transforms.pad_to_canvas(image, canvas), boxes

    return run


@pytest.mark.parametrize("canvas", [(64, 64), (48, 96), (90, 30)])
def test_pixels_and_boxes_stay_aligned(rectangles, canvas):
    transform = rectangles.graph(chain(canvas))

    compared = 0
    for case in range(200):
        image, boxes = transform(*rectangles.draw(case), (case, 7))
        assert image.shape == (*canvas, 3)
        assert boxes.numpy().min() >= 0 and boxes.numpy().max() <= 1
        compared += rectangles.check_alignment(image.numpy(), boxes)

    assert compared > 120


def test_one_seed_gives_every_transform_its_own_random_numbers():
    image = tf.zeros((100, 4, 3))
    ramp = tf.tile(tf.reshape(tf.range(1000, dtype=tf.float32), (1000, 1, 1)), (1, 4, 3))
    boxes = tf.constant([[0.0, 0.0, 1.0, 0.5]])

    @tf.function(autograph=False)
    def draws(index):
        seed = (index, 0)
        scaled, _ = transforms.scale_jitter(image, boxes, (200, 8), seed=seed)
        cropped, _ = transforms.random_crop(ramp, boxes, (100, 4), seed=seed)
        _, flipped = transforms.random_horizontal_flip(image, boxes, seed=seed)
        return tf.stack([tf.cast(tf.shape(scaled)[0], tf.float32), cropped[0, 0, 0], flipped[0, 1]])

    numbers = tf.map_fn(draws, tf.range(400), fn_output_signature=tf.float32).numpy()

    correlations = np.corrcoef(numbers.T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 0.2


def test_the_chain_runs_in_a_dataset_with_any_number_of_objects(rectangles):
    examples = [
        {
            "image": rectangles.draw(case)[0],
            "boxes": np.tile(rectangles.draw(case)[1], (case, 1)),
            "classes": np.arange(case, dtype=np.int32),
            "is_crowd": np.arange(case) == 1,
            "area": np.ones(case, np.float32),
            "seed": np.array([case, 0], np.int32),
        }
        for case in range(4)
    ]
    signature = {
        "image": tf.TensorSpec((None, None, 3), tf.float32),
        "boxes": tf.TensorSpec((None, 4), tf.float32),
        "classes": tf.TensorSpec((None,), tf.int32),
        "is_crowd": tf.TensorSpec((None,), tf.bool),
        "area": tf.TensorSpec((None,), tf.float32),
        "seed": tf.TensorSpec((2,), tf.int32),
    }
    transform = chain((32, 32))

    def prepare(example):
        image = transforms.color_jitter(example["image"], seed=example["seed"])
        image, boxes = transform(image, example["boxes"], example["seed"])
        return transforms.drop_crowds_and_dead_boxes({**example, "image": image, "boxes": boxes})

    dataset = tf.data.Dataset.from_generator(lambda: iter(examples), output_signature=signature)
    dataset = dataset.map(prepare)
    first, second = list(dataset), list(dataset)

    assert dataset.element_spec["image"].shape == (32, 32, 3)
    for number, (one, again) in enumerate(zip(first, second, strict=True)):
        assert len(one["boxes"]) == len(one["classes"]) <= number
        assert 1 not in one["classes"]  # the crowd
        np.testing.assert_array_equal(one["image"], again["image"])
        np.testing.assert_array_equal(one["boxes"], again["boxes"])
