"""The seven orders of objects."""

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.sequences import ORDERS, order_objects

#        area .04, corner far     .16, near             .01, nearest        .09, farthest
BOXES = np.array([[0.5, 0.5, 0.7, 0.7], [0.2, 0.1, 0.6, 0.5], [0.0, 0.1, 0.1, 0.2], [0.6, 0.6, 0.9, 0.9]], np.float32)
CLASSES = np.array([1, 1, 0, 0], np.int32)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("given", [0, 1, 2, 3]),
        ("area", [1, 3, 0, 2]),
        ("dist2ori", [2, 1, 0, 3]),
        ("class_area", [3, 2, 1, 0]),
        ("class_dist2ori", [2, 3, 1, 0]),
    ],
)
@pytest.mark.parametrize("seed", [(0, 0), (1, 5)])
def test_an_order_by_boxes_does_not_depend_on_the_seed(order, expected, seed):
    assert order_objects(BOXES, CLASSES, order, seed).numpy().tolist() == expected


def test_class_order_is_random_within_a_class():
    orders = {tuple(order_objects(BOXES, CLASSES, "class", (0, seed)).numpy()) for seed in range(40)}

    assert orders == {(2, 3, 0, 1), (2, 3, 1, 0), (3, 2, 0, 1), (3, 2, 1, 0)}


def test_random_order_is_a_permutation_that_the_seed_decides():
    boxes, classes = np.tile(BOXES, (10, 1)), np.tile(CLASSES, 10)

    one, again, other = (order_objects(boxes, classes, "random", seed).numpy() for seed in ((0, 1), (0, 1), (0, 2)))

    np.testing.assert_array_equal(np.sort(one), np.arange(40))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_random_order_puts_any_object_first():
    firsts = [order_objects(BOXES, CLASSES, "random", (0, seed)).numpy()[0] for seed in range(80)]

    assert np.bincount(firsts, minlength=4).min() >= 8  # 20 each are expected


@pytest.mark.parametrize("order", ["area", "dist2ori", "class", "class_area", "class_dist2ori"])
def test_the_seed_orders_equal_objects(order):
    boxes, classes = np.tile(BOXES[:1], (5, 1)), np.ones(5, np.int32)

    orders = [order_objects(boxes, classes, order, (0, seed)).numpy() for seed in range(10)]

    assert all(sorted(one) == [0, 1, 2, 3, 4] for one in orders)
    assert len({tuple(one) for one in orders}) > 1
    np.testing.assert_array_equal(order_objects(boxes, classes, order, (0, 0)), orders[0])


def test_a_tie_does_not_change_the_order_of_the_rest():
    boxes = np.array([[0, 0, 0.25, 0.25], [0, 0, 0.5, 0.5], [0.5, 0.5, 0.75, 0.75], [0, 0, 0.1, 0.1]], np.float32)

    orders = {tuple(order_objects(boxes, np.zeros(4, np.int32), "area", (0, seed)).numpy()) for seed in range(20)}

    assert orders == {(1, 0, 2, 3), (1, 2, 0, 3)}


@pytest.mark.parametrize("order", ORDERS)
def test_an_image_without_objects_has_an_empty_order(order):
    assert order_objects(np.zeros((0, 4), np.float32), np.zeros(0, np.int32), order).shape == (0,)


def test_an_unknown_order_lists_the_known_ones():
    with pytest.raises(
        InputError, match=r"random, area, dist2ori, class, class_area, class_dist2ori, given\..*order='size'"
    ):
        order_objects(BOXES, CLASSES, "size")
