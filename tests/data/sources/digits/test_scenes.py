"""The properties of digit scenes, checked on the 600 scenes of the test split and on their pixels."""

import numpy as np
import pytest

from pix2seq_keras.data.sources.digits.scenes import SIZES, draw_scene, overlaps, paint, source_digits

LUMINANCE = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def test_scenes():
    return [draw_scene("96", "test", index) for index in range(SIZES["96"].num_scenes["test"])]


@pytest.fixture(scope="module")
def small_scenes():
    return [draw_scene("64", "val", index) for index in range(SIZES["64"].num_scenes["val"])]


def test_the_same_arguments_draw_the_same_scene(test_scenes):
    again = draw_scene("96", "test", 7)

    np.testing.assert_array_equal(again.image, test_scenes[7].image)
    np.testing.assert_array_equal(again.boxes, test_scenes[7].boxes)


def test_another_index_split_or_size_draws_another_scene():
    scenes = [draw_scene("96", "test", 0), draw_scene("96", "test", 1), draw_scene("96", "val", 0)]
    small = draw_scene("64", "test", 0)

    assert len({scene.image.tobytes() for scene in scenes}) == 3
    assert small.image.shape == (64, 64, 3)
    assert not np.array_equal(small.image, scenes[0].image[:64, :64])


def test_the_test_scenes_have_not_changed():
    # Scores are compared over time on these scenes; after a change they could not be compared.
    scene = draw_scene("96", "test", 0)

    assert [(digit.source_index, digit.label, digit.box_pixels) for digit in scene.digits] == [
        (1238, 7, (41, 25, 56, 41)),
        (1574, 9, (2, 55, 40, 92)),
        (1574, 9, (51, 58, 81, 89)),
        (351, 6, (14, 6, 42, 32)),
        (1086, 3, (63, 11, 88, 41)),
    ]


def test_no_two_splits_share_a_source_digit():
    sources = source_digits()

    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not set(sources[one]) & set(sources[other])
    shares = np.array([len(sources[split]) for split in ("train", "val", "test")])
    np.testing.assert_allclose(shares / shares.sum(), [0.7, 0.1, 0.2], atol=0.01)


def test_scenes_use_only_the_source_digits_of_their_split(test_scenes):
    allowed = source_digits()
    used = {digit.source_index for scene in test_scenes for digit in scene.digits}
    train = {d.source_index for i in range(50) for d in draw_scene("96", "train", i).digits}
    small = {d.source_index for i in range(50) for d in draw_scene("64", "train", i).digits}

    assert used <= set(allowed["test"])
    assert len(used) > 0.9 * len(allowed["test"])
    assert train <= set(allowed["train"]) and small <= set(allowed["train"])


def test_every_label_occurs_about_equally_often(test_scenes):
    counts = np.bincount(np.concatenate([scene.classes for scene in test_scenes]), minlength=10)

    assert counts.min() > 0.6 * counts.mean()


def test_scenes_hold_one_to_six_digits_and_three_on_average(test_scenes, small_scenes):
    counts = np.array([len(scene.digits) for scene in test_scenes])
    small_counts = np.array([len(scene.digits) for scene in small_scenes])

    assert set(counts) == {1, 2, 3, 4, 5, 6}
    assert counts.mean() >= 3
    assert set(small_counts) == {1, 2, 3}


@pytest.mark.parametrize("scenes, size", [("test_scenes", "96"), ("small_scenes", "64")])
def test_boxes_are_within_the_limits_of_sides_aspect_ratio_and_image(scenes, size, request):
    boxes = np.concatenate(
        [[d.box_pixels for d in scene.digits] for scene in request.getfixturevalue(scenes)]
    )  # (n, 4)
    sides = boxes[:, 2:] - boxes[:, :2]  # (n, 2) height, width
    aspects = sides[:, 1] / sides[:, 0]
    smallest, largest = SIZES[size].sides_pixels

    assert sides.min() >= smallest and sides.max() <= largest
    assert sides.min() < smallest + 3 and sides.max() > largest - 3  # the range is used
    assert aspects.min() >= 0.8 and aspects.max() <= 1.25
    assert aspects.min() < 0.85 and aspects.max() > 1.2
    assert boxes.min() >= 0 and boxes.max() <= SIZES[size].side_pixels


def test_boxes_overlap_by_at_most_a_quarter_of_the_smaller(test_scenes):
    shares = []
    for scene in test_scenes:
        boxes = np.array([digit.box_pixels for digit in scene.digits])
        shares.append(overlaps(boxes, boxes)[np.triu_indices(len(boxes), k=1)])
    shares = np.concatenate(shares)

    assert shares.max() <= 0.25
    assert (shares > 0).mean() > 0.05  # some do overlap


def test_overlap_is_relative_to_the_smaller_box():
    large, small, apart = (0, 0, 20, 20), (10, 15, 20, 25), (30, 30, 40, 40)

    shares = overlaps(np.array([large]), np.array([small, apart]))

    np.testing.assert_allclose(shares, [[0.5, 0.0]])


def test_ink_contrasts_with_the_background_under_it(test_scenes):
    contrasts = []
    for scene in test_scenes:
        for digit in scene.digits:
            y0, x0, y1, x1 = digit.box_pixels
            background = scene.background[y0:y1, x0:x1].mean((0, 1)) @ LUMINANCE
            contrast = abs(digit.colour @ LUMINANCE - background)
            assert contrast == pytest.approx(digit.contrast, abs=1e-3)
            contrasts.append(contrast)

    assert min(contrasts) >= 0.5 and max(contrasts) <= 1
    assert np.mean(np.array(contrasts) > 0.7) > 0.2  # the range is used


def test_the_ink_in_the_image_has_the_documented_contrast(test_scenes):
    # On the drawn 8-bit pixels: the strongest stroke of a digit that nothing covers.
    for scene in test_scenes[:100]:
        digit = scene.digits[-1]
        y0, x0, y1, x1 = digit.box_pixels
        pixels = scene.image[y0:y1, x0:x1] / 255 @ LUMINANCE
        background = (scene.background[y0:y1, x0:x1] @ LUMINANCE).mean()
        assert 0.5 <= np.abs(pixels - background).max() <= 1


def test_backgrounds_are_textured_dark_and_light(test_scenes):
    luminances = np.array([(scene.background @ LUMINANCE).mean() for scene in test_scenes])
    textures = np.array([(scene.background @ LUMINANCE).std() for scene in test_scenes])

    assert 0.4 < (luminances > 0.5).mean() < 0.6
    assert textures.min() > 0.005 and textures.mean() > 0.02


def test_boxes_are_tight_around_the_ink(test_scenes):
    slack = []
    for scene in test_scenes[:200]:
        for digit in scene.digits:
            canvas = scene.background.copy()
            paint(canvas, digit)
            change = np.abs(canvas - scene.background).max(-1)  # (S, S)
            ink = change > 0.25 * change.max()
            rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
            found = np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])
            slack.append(np.abs(found - digit.box_pixels))
    slack = np.array(slack)  # (n, 4) pixels

    assert slack.max() <= 1
    assert slack.mean() < 0.1


def test_later_digits_cover_earlier_ones(test_scenes):
    scene = next(s for s in test_scenes if len(s.digits) == 6)
    last = scene.digits[-1]
    y0, x0, y1, x1 = last.box_pixels

    closest = np.abs(scene.image[y0:y1, x0:x1] / 255 - last.colour).max(-1).min()

    assert closest < 1 / 255
