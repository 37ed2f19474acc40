import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras.data.transforms import random_erase
from pix2seq_keras.data.transforms.erase import hidden_share
from pix2seq_keras.errors import InputError


def test_a_box_is_kept_if_enough_of_its_pixels_are_visible(rectangles):
    """Counts the pixels that still show the object. The box is kept if they are enough, and never moves."""
    erase = rectangles.graph(
        lambda image, boxes, seed: random_erase(image, boxes, probability=1.0, count=3, max_area=0.5, seed=seed)
    )

    kept, lost = 0, 0
    for case in range(200):
        original, box = rectangles.draw(case)
        image, boxes = (output.numpy() for output in erase(original, box, (case, 1)))
        unchanged = (image == original).all(-1)
        height, width = unchanged.shape
        ymin, xmin, ymax, xmax = np.round(box[0] * [height, width, height, width]).astype(int)
        visible = unchanged[ymin:ymax, xmin:xmax].mean()
        alive = boxes.any()
        assert alive == (visible >= 0.3 - 1e-6) or abs(visible - 0.3) < 1e-3
        np.testing.assert_array_equal(boxes, box if alive else np.zeros((1, 4)))
        kept, lost = kept + alive, lost + (not alive)

    assert kept > 50 and lost > 20


@pytest.fixture(scope="module")
def painted():
    """600 black images 100×150 with one rectangle: its yxyx in pixels and its colour, found in the pixels."""

    @tf.function(autograph=False)
    def run():
        one = lambda index: random_erase(tf.zeros((100, 150, 3)), tf.zeros((0, 4)), probability=1.0, seed=(index, 2))[0]
        return tf.map_fn(one, tf.range(600), fn_output_signature=tf.float32)

    boxes, colors = [], []
    for image in run().numpy():
        rows, columns = np.flatnonzero(image.any((1, 2))), np.flatnonzero(image.any((0, 2)))
        box = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
        inside = image[box[0] : box[2], box[1] : box[3]]
        assert (inside == inside[0, 0]).all(), "one rectangle in one colour"
        boxes.append(box)
        colors.append(inside[0, 0])
    return np.array(boxes), np.array(colors)


def test_areas_are_uniform_and_aspects_log_uniform(painted):
    height, width = (painted[0][:, 2:] - painted[0][:, :2]).T

    # Only the largest and longest rectangles can be cut: 0.2·3.3 of the width and of the height.
    area, log_aspect = height * width / (100 * 150), np.log(height / width)
    assert stats.kstest(area, stats.uniform(0.02, 0.18).cdf).pvalue > 1e-3
    assert stats.kstest(log_aspect, stats.uniform(-np.log(3.3), 2 * np.log(3.3)).cdf).pvalue > 1e-3


def test_places_and_colours_are_uniform(painted):
    boxes, colors = painted
    rng = np.random.default_rng(0)

    for axis, side in enumerate((100, 150)):
        slack = side - (boxes[:, 2 + axis] - boxes[:, axis]) + 1
        assert stats.kstest((boxes[:, axis] + rng.uniform(size=600)) / slack, "uniform").pvalue > 1e-3
    for channel in colors.T:
        assert stats.kstest(channel, "uniform").pvalue > 1e-3


def test_overlapping_rectangles_are_counted_once():
    boxes = tf.constant([[0.0, 0.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0], [2.0, 2.0, 2.0, 9.0], [0.0, 0.0, 4.0, 4.0]])
    rectangles = tf.constant([[0, 0, 10, 4], [0, 2, 5, 10], [0, 2, 5, 10]])

    share = hidden_share(boxes, rectangles).numpy()

    np.testing.assert_allclose(share, [0.7, 0, 0, 1], atol=1e-6)  # 40 + 40 − 10 of 100


def test_the_share_equals_counted_pixels():
    rng = np.random.default_rng(0)
    for _ in range(100):
        corners = np.sort(rng.integers(0, 31, (7, 2, 2)), axis=1).reshape(7, 4)
        boxes, rectangles = corners[:4], corners[4:]
        mask = np.zeros((30, 30))
        for ymin, xmin, ymax, xmax in rectangles:
            mask[ymin:ymax, xmin:xmax] = 1
        counted = [mask[a:c, b:d].mean() if c > a and d > b else 0 for a, b, c, d in boxes]

        share = hidden_share(tf.constant(boxes, tf.float32), tf.constant(rectangles, tf.int32))

        np.testing.assert_allclose(share, counted, atol=1e-5)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_the_share_of_painted_images_is_the_probability(probability):
    @tf.function(autograph=False)
    def run():
        def one(index):
            image, _ = random_erase(tf.zeros((9, 9, 3)), tf.zeros((0, 4)), probability=probability, seed=(index, 7))
            return tf.reduce_max(image)

        return tf.map_fn(one, tf.range(600), fn_output_signature=tf.float32)

    painted, again = run().numpy() > 0, run().numpy() > 0

    np.testing.assert_array_equal(painted, again)
    assert abs(painted.mean() - probability) <= (0.06 if 0 < probability < 1 else 0)


def test_min_visible_0_keeps_hidden_boxes_and_1_drops_touched_ones():
    image, boxes = tf.zeros((20, 20, 3)), tf.constant([[0.0, 0.0, 1.0, 1.0]])
    options = {"probability": 1.0, "min_area": 1.0, "max_area": 1.0, "max_aspect": 1.0, "seed": (0, 0)}

    _, kept = random_erase(image, boxes, min_visible=0.0, **options)
    _, dropped = random_erase(image, boxes, min_visible=0.01, **options)
    _, touched = random_erase(image, boxes, probability=1.0, min_visible=1.0, seed=(0, 0))

    np.testing.assert_array_equal(kept, boxes)
    assert not dropped.numpy().any() and not touched.numpy().any()


def test_boxes_with_nan_or_without_area_stay_without_area(rectangles):
    boxes = tf.constant([[float("nan"), 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])

    _, erased = random_erase(tf.zeros((20, 30, 3)), boxes, probability=1.0, seed=(0, 0))

    assert not (erased[:, 2:] > erased[:, :2]).numpy().any()


def test_uint8_images_stay_uint8_and_tiny_images_pass():
    for size in [(1, 1), (1, 40), (3, 2)]:
        image, boxes = random_erase(
            np.zeros((*size, 3), np.uint8), tf.zeros((0, 4)), probability=1.0, count=2, seed=(4, 4)
        )
        assert image.shape == (*size, 3) and image.dtype == tf.uint8
        assert boxes.shape == (0, 4)


@pytest.mark.parametrize(
    "options",
    [{"min_area": 0}, {"max_area": 1.5}, {"min_area": 0.3}, {"count": 0}, {"max_aspect": 0.5}, {"min_visible": -1}],
)
def test_arguments_out_of_range_are_refused(no_boxes, options):
    with pytest.raises(
        InputError, match=rf"`random_erase` requires.*{next(iter(options))}={next(iter(options.values()))}"
    ):
        random_erase(*no_boxes, **options, seed=(0, 0))
