import numpy as np
import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.visualization import class_colour, draw_detections, drawing
from pix2seq_keras.visualization.drawing import _whole_pixels

GREY = np.full((400, 600, 3), 128, np.uint8)


def changed(before, after):
    return np.any(before != after, axis=-1)  # (H, W)


def test_a_box_is_drawn_at_its_coordinates_only():
    drawn = draw_detections(GREY, [[0.25, 0.5, 0.75, 0.9]], [0])

    rows, columns = np.nonzero(changed(GREY, drawn))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (100, 300, 300, 540)
    assert not changed(GREY, drawn)[110:290, 310:530].any()
    assert tuple(drawn[100, 400]) == class_colour(0)


def test_keras_cv_gives_the_pixels_of_float64_arithmetic():
    boxes = np.random.default_rng(0).uniform(-0.1, 1.1, (500, 4)).astype(np.float32)
    boxes[:2] = (0.5, 0.5, 0.5, 0.5), (np.nan, 9.0, -9.0, 0.25)

    pixels = _whole_pixels(boxes, (641, 427))

    rounded = np.round(np.nan_to_num(boxes.astype(np.float64)) * [427, 641, 427, 641])
    ymin, xmin, ymax, xmax = np.clip(rounded, 0, [426, 640, 426, 640]).T
    expected = [np.minimum(xmin, xmax), np.minimum(ymin, ymax), np.maximum(xmin, xmax), np.maximum(ymin, ymax)]
    np.testing.assert_array_equal(pixels, np.stack(expected, axis=-1))


def test_the_given_image_is_not_modified():
    image = GREY.copy()

    drawn = draw_detections(image, [[0.1, 0.1, 0.9, 0.9]], [0], [0.5], names=["cell"])

    assert drawn.dtype == np.uint8 and drawn.shape == image.shape
    assert np.array_equal(image, GREY)


def test_small_images_are_enlarged_by_an_integer_factor():
    assert draw_detections(GREY[:96, :96], [], []).shape == (384, 384, 3)
    assert draw_detections(GREY[:100, :200], [], []).shape == (400, 800, 3)
    assert draw_detections(GREY[:96, :96], [], [], min_side=1).shape == (96, 96, 3)


def test_drawing_twice_enlarges_once():
    once = draw_detections(GREY[:96, :96], [], [])

    assert draw_detections(once, [], []).shape == once.shape


@pytest.mark.parametrize(
    "box", [[0, 0, 0.1, 0.1], [0, 0.95, 0.05, 1], [0.95, 0.95, 1, 1], [0.9, 0, 1, 0.1], [0, 0, 1, 1]]
)
def test_labels_stay_completely_inside_the_image(box):
    inside = draw_detections(GREY, [[0.4, 0.4, 0.6, 0.6]], [0], [0.97], names=["a long name"])
    unlabelled = draw_detections(GREY, [[0.4, 0.4, 0.6, 0.6]], [0])
    whole_area = changed(inside, unlabelled).sum()

    edge = draw_detections(GREY, [box], [0], [0.97], names=["a long name"])

    # The label may cover the line of its own box, so a little of its area does not differ.
    label_area = changed(edge, draw_detections(GREY, [box], [0])).sum()
    assert label_area >= 0.85 * whole_area


def test_padding_is_not_drawn_and_boxes_without_area_are():
    boxes = [[0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.5, 0.5], [0.8, 0.8, 0.6, 0.6], [-1, -1, 2, 2]]

    padded = draw_detections(GREY, boxes, [-1, -1, -1, -1], [0.5] * 4, names=["cell"])
    drawn = draw_detections(GREY, boxes, [0, 0, 0, 0], [0.5] * 4, names=["cell"])

    assert np.array_equal(padded, GREY)
    assert changed(GREY, drawn)[200, 300]


def test_the_detection_with_the_higher_score_is_drawn_on_top():
    boxes = [[0.2, 0.2, 0.8, 0.8]] * 2

    drawn = draw_detections(GREY, boxes, [1, 0], scores=[0.9, 0.3])

    assert tuple(drawn[80, 300]) == class_colour(1)


def test_ground_truth_is_dashed_and_white():
    drawn = draw_detections(GREY, [[0.25, 0.25, 0.75, 0.75]], [0], dashed=True)

    line = drawn[100, 150:451]
    white = np.all(line == 255, axis=-1)
    assert 0.3 < white.mean() < 0.8
    assert not np.any(np.all(drawn == class_colour(0), axis=-1))


def test_eighty_classes_have_eighty_colours():
    assert len({class_colour(index) for index in range(80)}) == 80


def test_a_class_without_a_name_is_labelled_with_its_number():
    drawn = draw_detections(GREY, [[0.2, 0.2, 0.8, 0.8]], [5], names=["only one"])

    assert changed(drawn, draw_detections(GREY, [[0.2, 0.2, 0.8, 0.8]], [5])).any()


@pytest.mark.parametrize("image", [np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)])
def test_images_other_than_uint8_rgb_are_refused(image):
    with pytest.raises(InputError, match="uint8 array of shape"):
        draw_detections(image, [], [])


@pytest.mark.parametrize("shape", [(2, 3000), (3000, 2), (1, 1), (1, 1599), (40, 900)])
def test_thin_images_are_not_enlarged_beyond_a_long_side(shape):
    image = np.full((*shape, 3), 128, np.uint8)

    drawn = draw_detections(image, [[0, 0, 1, 1]], [0], [0.5], names=["cell"])

    assert max(drawn.shape) <= max(1600, *shape)
    assert all(side % given == 0 for side, given in zip(drawn.shape[:2], shape, strict=True))


def test_labels_take_free_places_first():
    corners = [[0.3, 0.3, 0.7, 0.7]] * 2

    drawn = draw_detections(GREY, corners, [0, 1], [0.9, 0.8], names=["first", "second"])

    filled = [np.all(drawn == class_colour(index), axis=-1).sum() for index in (0, 1)]
    assert min(filled) > 500  # neither label covers the other


def test_thousands_of_boxes_have_a_few_hundred_labels(monkeypatch):
    labels = []
    monkeypatch.setattr(drawing, "_label", lambda draw, size, box, text, *rest: labels.append(text))
    boxes = np.random.default_rng(0).uniform(0, 1, (5000, 4))
    scores = np.linspace(0, 1, 5000)

    draw_detections(GREY, boxes, np.zeros(5000), scores, names=["cell"])

    assert labels[:3] == ["cell 1.00"] * 3 and len(labels) == 300
    assert labels[-1] == f"cell {scores[-300]:.2f}"  # those with the highest scores


@pytest.mark.parametrize("name", ["two\nlines", "x" * 2_000_000, "\x1b[2J", "", "\udcff"])
def test_any_name_can_be_drawn(name):
    plain = draw_detections(GREY, [[0.2, 0.2, 0.8, 0.8]], [0])

    drawn = draw_detections(GREY, [[0.2, 0.2, 0.8, 0.8]], [0], names=[name])

    assert changed(drawn, plain).any()
