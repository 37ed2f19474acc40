import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras.data.transforms import drop_crowds_and_dead_boxes, mosaic
from pix2seq_keras.errors import InputError

CANVAS = (64, 96)
SPEC = {
    "image": tf.TensorSpec((None, None, 3), tf.float32),
    "boxes": tf.TensorSpec((None, 4), tf.float32),
    "classes": tf.TensorSpec((None,), tf.int32),
}


def example_of(image, boxes, number):
    return {"image": image, "boxes": boxes, "classes": tf.fill([len(boxes)], number)}


def graph(**options):
    """A mosaic of four examples of any size as one traced function."""
    return tf.function(
        lambda examples, seed: mosaic(examples, CANVAS, seed=seed, **options),
        autograph=False,
        input_signature=[[SPEC] * 4, tf.TensorSpec((2,), tf.int32)],
    )


def test_pixels_and_boxes_stay_aligned(rectangles):
    """One rectangle in each of four images. One image at a time is checked while the others are blank."""
    put = graph(min_visible=0.0)

    compared, dead = 0, 0
    for case in range(200):
        images = [rectangles.draw(1000 * number + case) for number in range(4)]
        checked = case % 4
        examples = [
            example_of(image if number == checked else np.zeros_like(image), boxes, number)
            for number, (image, boxes) in enumerate(images)
        ]
        result = put(examples, (case, 1))
        assert result["image"].shape == (*CANVAS, 3)
        np.testing.assert_array_equal(result["classes"], [0, 1, 2, 3])
        found = rectangles.check_alignment(result["image"].numpy(), result["boxes"].numpy()[checked : checked + 1])
        compared, dead = compared + found, dead + (not found)

    assert compared > 100 and dead > 5  # both kinds occurred


def flat(size, value, boxes=(), number=0):
    return example_of(tf.fill((*size, 3), value), tf.reshape(tf.constant(boxes, tf.float32), (-1, 4)), number)


def test_the_four_images_meet_at_a_point_in_the_middle_half():
    put = graph()
    large = [flat((200, 200), value) for value in (0.1, 0.2, 0.6, 0.9)]

    points = []
    for case in range(300):
        image = put(large, (case, 0))["image"].numpy()[..., 0]
        point = y, x = (image[:, 0] < 0.5).sum(), (image[0] < 0.15).sum()
        for tile, value in zip(
            (image[:y, :x], image[:y, x:], image[y:, :x], image[y:, x:]), (0.1, 0.2, 0.6, 0.9), strict=True
        ):
            np.testing.assert_array_equal(tile, np.float32(value))
        points.append(point)

    rng = np.random.default_rng(0)
    for places, side in zip(np.array(points).T, CANVAS, strict=True):
        spread = (places + rng.uniform(size=300)) / side
        assert stats.kstest(spread, stats.uniform(0.25, 0.5).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(np.array(points).T)[0, 1]) < 0.15


def test_small_images_keep_their_size_and_touch_the_point():
    whole = [[0.0, 0.0, 1.0, 1.0]]

    result = mosaic([flat((4, 6), 0.9, whole, number) for number in range(4)], CANVAS, seed=(1, 2))

    boxes = result["boxes"].numpy() * [64, 96, 64, 96]
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], [[4, 6]] * 4, atol=1e-4)
    y, x = boxes[0, 2:]
    origins = [[y - 4, x - 6], [y - 4, x], [y, x - 6], [y, x]]
    np.testing.assert_allclose(boxes[:, :2], origins, atol=1e-4)
    image = result["image"].numpy()
    assert (image == np.float32(0.9)).all(-1).sum() == 4 * 4 * 6
    assert (image == np.float32(0.3)).all(-1).sum() == 64 * 96 - 4 * 4 * 6


def test_boxes_cut_too_small_lose_their_area_and_others_are_clipped():
    # Rows of a large image, each two pixels wide and 40 high: crops of at most 72 columns, at most 48 rows.
    boxes = [[0.3, x / 100, 0.5, (x + 2) / 100] for x in range(0, 100, 4)]
    images = [flat((200, 200), 0.5, boxes, number) for number in range(4)]

    shares = {}
    for share in (0.0, 0.5, 1.0):
        result = drop_crowds_and_dead_boxes(mosaic(images, CANVAS, min_visible=share, seed=(3, 3)))
        sides = result["boxes"].numpy() * [64, 96, 64, 96]
        sides = sides[:, 2:] - sides[:, :2]
        shares[share] = sides.prod(-1) / (40 * 4)

    assert (shares[0.0] > 0).all() and len(shares[0.0]) > len(shares[0.5]) > 0
    assert shares[0.5].min() >= 0.5 - 1e-4
    assert len(shares[1.0]) == 0 or shares[1.0].min() >= 1 - 1e-4
    assert (shares[0.0] >= 0.5).sum() == len(shares[0.5])


def test_objects_of_all_four_images_keep_order_and_keys():
    def one(number, count):
        boxes = [[0.25, 0.25, 0.75, 0.75]] * count
        crowd = {"is_crowd": tf.range(count) == 0, "area": tf.fill([count], float(number))}
        return {**flat((8, 8), 0.5, boxes, number), **crowd, "image_id": tf.constant(10 + number)}

    result = mosaic([one(0, 2), one(1, 0), one(2, 1), one(3, 3)], CANVAS, seed=(0, 0))

    np.testing.assert_array_equal(result["classes"], [0, 0, 2, 3, 3, 3])
    np.testing.assert_array_equal(result["area"], [0, 0, 2, 3, 3, 3])
    np.testing.assert_array_equal(result["is_crowd"], [1, 0, 1, 1, 0, 0])
    assert result["boxes"].shape == (6, 4)
    assert result["image_id"] == 10


def test_images_without_objects_pass():
    result = mosaic([flat((9, 9), 0.5)] * 4, CANVAS, seed=(0, 0))

    assert result["boxes"].shape == (0, 4) and result["classes"].shape == (0,)


def test_uint8_images_stay_uint8():
    image = tf.fill((5, 5, 3), tf.constant(200, tf.uint8))

    result = mosaic([{"image": image, "boxes": tf.zeros((0, 4))}] * 4, CANVAS, seed=(0, 0))

    assert result["image"].dtype == tf.uint8
    assert set(np.unique(result["image"])) <= {76, 77, 200}  # 0.3 is 76.5


def test_the_same_seed_gives_the_same_mosaic_and_others_differ(rectangles):
    examples = [example_of(*rectangles.draw(number), number) for number in range(4)]

    one, again, other = (mosaic(examples, CANVAS, seed=(0, seed))["image"].numpy() for seed in (1, 1, 2))

    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_three_images_or_a_share_above_1_are_refused():
    with pytest.raises(InputError, match="Received: 3 examples"):
        mosaic([flat((4, 4), 0.5)] * 3, CANVAS, seed=(0, 0))
    with pytest.raises(InputError, match="min_visible=2"):
        mosaic([flat((4, 4), 0.5)] * 4, CANVAS, min_visible=2, seed=(0, 0))
