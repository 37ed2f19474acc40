import numpy as np
import tensorflow as tf

from pix2seq_keras.data.transforms import drop_crowds_and_dead_boxes, random_crop

NAN = float("nan")


def example_of(boxes, is_crowd):
    count = len(boxes)
    return {
        "image": tf.zeros((4, 4, 3)),
        "image_id": tf.constant(17),
        "boxes": tf.reshape(tf.constant(boxes, tf.float32), (count, 4)),
        "classes": tf.range(count),
        "is_crowd": tf.constant(is_crowd, tf.bool),
        "area": tf.range(count, dtype=tf.float32) * 10,
    }


def test_crowds_and_boxes_without_area_are_dropped():
    alive = [0.1, 0.2, 0.3, 0.4]
    boxes = [
        alive,
        alive,  # a crowd
        [0.3, 0.2, 0.3, 0.4],  # no height
        [0.1, 0.4, 0.3, 0.4],  # no width
        [0.5, 0.2, 0.3, 0.4],  # upside down
        [NAN, 0.2, 0.3, 0.4],
        [0.1, 0.2, NAN, 0.4],
        [0.1, 0.2, 0.3, NAN],
        [0.1, 0.2, float("inf"), 0.4],
        [0.0, 0.0, 1.0, 1.0],
    ]
    example = example_of(boxes, [index == 1 for index in range(10)])

    kept = drop_crowds_and_dead_boxes(example)

    np.testing.assert_array_equal(kept["classes"], [0, 9])
    np.testing.assert_array_equal(kept["area"], [0, 90])
    np.testing.assert_allclose(kept["boxes"], [alive, [0, 0, 1, 1]])
    np.testing.assert_array_equal(kept["is_crowd"], [False, False])
    assert kept["image_id"] == 17


def test_the_given_example_is_not_changed():
    example = example_of([[0.0, 0.0, 0.0, 0.0]], [False])

    drop_crowds_and_dead_boxes(example)

    assert example["boxes"].shape == (1, 4)


def test_examples_without_boxes_pass():
    kept = drop_crowds_and_dead_boxes(example_of([], []))

    assert kept["boxes"].shape == (0, 4)
    assert kept["classes"].shape == (0,)


def test_an_example_may_have_boxes_only():
    kept = drop_crowds_and_dead_boxes({"boxes": tf.constant([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]])})

    assert set(kept) == {"boxes"}
    assert kept["boxes"].shape == (1, 4)


def test_a_box_with_nan_is_dropped_after_a_crop():
    boxes = tf.constant([[0.1, NAN, 0.9, 0.8], [0.1, 0.1, NAN, 0.8], [0.0, 0.0, 1.0, 1.0]])

    _, boxes = random_crop(tf.zeros((40, 40, 3)), boxes, (20, 20), seed=(0, 1))

    assert drop_crowds_and_dead_boxes({"boxes": boxes})["boxes"].shape == (1, 4)
