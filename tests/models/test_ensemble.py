"""Several readings of one image, and the objects that they agree on."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2seq_keras import InputError, samplers
from pix2seq_keras.decoding import row_seeds
from pix2seq_keras.models.ensemble import agreed, seeds_of_readings

A, B = [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]
NEAR_A = [0.1, 0.1, 0.5, 0.6]  # IoU with A 0.8


def agree(*readings):
    """What readings of one image, lists of (box, class, score) of equal length, agree on: list of the same kind."""
    rows = {
        "boxes": tf.constant([[box for box, _, _ in reading] for reading in readings], tf.float32),
        "classes": tf.constant([[class_ for _, class_, _ in reading] for reading in readings], tf.int32),
        "scores": tf.constant([[score for _, _, score in reading] for reading in readings], tf.float32),
    }
    found = {name: values.numpy()[0] for name, values in agreed(rows, len(readings)).items()}
    number = found["num_detections"]
    assert found["classes"].shape == (len(readings) * len(readings[0]),)
    assert (found["classes"][number:] == -1).all() and not found["scores"][number:].any()
    assert not found["boxes"][number:].any()
    return [(found["boxes"][i], int(found["classes"][i]), float(found["scores"][i])) for i in range(number)]


def test_a_score_is_the_mean_over_readings_and_a_box_the_weighted_mean():
    (first, second) = agree([(A, 2, 0.9), (B, 1, 0.8)], [(NEAR_A, 2, 0.3), ([0, 0, 0, 0], -1, 0.0)])

    assert (first[1], second[1]) == (2, 1)
    assert first[2] == pytest.approx(0.6) and second[2] == pytest.approx(0.4)
    np.testing.assert_allclose(first[0], [0.1, 0.1, 0.5, 0.525], atol=1e-6)
    np.testing.assert_allclose(second[0], B, atol=1e-6)


def test_what_one_reading_tells_twice_counts_once():
    (only,) = agree([(A, 0, 0.8), (NEAR_A, 0, 0.6)], [(A, 0, 0.4), (A, 0, 0.4)])

    assert only[2] == pytest.approx((0.8 + 0.4) / 2)


def test_other_classes_and_other_places_stay_apart():
    found = agree([(A, 0, 0.8), (A, 1, 0.2)], [(B, 0, 0.5), ([0.1, 0.1, 0.5, 0.25], 0, 0.4)])

    assert [(class_, pytest.approx(score)) for _, class_, score in found] == [(0, 0.4), (0, 0.25), (0, 0.2), (1, 0.1)]


def test_a_box_that_is_covered_by_no_leader_leads():
    # Each overlaps the next by an IoU of 0.6, but not the one after: the second is the first's, so the third is free.
    boxes = [[0.0, shift, 1.0, shift + 0.4] for shift in (0.0, 0.1, 0.2)]

    found = agree([(box, 0, score) for box, score in zip(boxes, (0.9, 0.8, 0.7), strict=True)])

    assert [pytest.approx(score) for _, _, score in found] == [0.9, 0.7]
    np.testing.assert_allclose(found[1][0], boxes[2], atol=1e-6)


def test_empty_boxes_and_scores_of_zero_are_kept_as_they_are():
    line = [0.2, 0.2, 0.2, 0.9]

    found = agree([(line, 0, 0.5), (A, 1, 0.0)])

    np.testing.assert_allclose(found[0][0], line, atol=1e-6)
    np.testing.assert_allclose(found[1][0], A, atol=1e-6)


def reference(boxes, classes, scores, readings):
    """The definition, one box after the other."""
    left = sorted((i for i in range(len(scores)) if classes[i] >= 0), key=lambda i: (-scores[i], i))
    of_reading, found = np.arange(len(scores)) // (len(scores) // readings), []
    while left:
        lead = left[0]
        gathered = [i for i in left if i == lead or (classes[i] == classes[lead] and iou(boxes[i], boxes[lead]) >= 0.5)]
        left = [i for i in left if i not in gathered]
        best = [max([scores[i] for i in gathered if of_reading[i] == r], default=0.0) for r in range(readings)]
        weights = scores[gathered]
        box = weights @ boxes[gathered] / weights.sum() if weights.sum() else boxes[lead]
        found.append((box, classes[lead], np.mean(best)))
    return sorted(found, key=lambda item: -item[2])


def iou(first, second):
    sides = np.maximum(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]), 0)
    areas = [np.prod(box[2:] - box[:2]) for box in (first, second)]
    union = sum(areas) - np.prod(sides)
    return np.prod(sides) / union if union > 0 else 0.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), readings=st.integers(1, 4), count=st.integers(1, 12))
def test_it_is_what_gathering_one_after_the_other_gives(seed, readings, count):
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 0.5, (readings * count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.2, 0.5, corners.shape)], 1).astype(np.float32)
    classes = random.integers(-1, 2, len(boxes))
    scores = np.where(classes >= 0, random.uniform(0.01, 1, len(boxes)), 0).astype(np.float32)

    shaped = lambda values: values.reshape(readings, count, *values.shape[1:]).tolist()
    found = agree(
        *(list(zip(*rows, strict=True)) for rows in zip(shaped(boxes), shaped(classes), shaped(scores), strict=True))
    )

    expected = reference(boxes.astype(float), classes, scores.astype(float), readings)
    assert [class_ for _, class_, _ in found] == [class_ for _, class_, _ in expected]
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-5)
        assert mine[2] == pytest.approx(theirs[2], abs=1e-5)


def test_readings_are_the_rows_of_their_seeds(tiny_model, tiny_images):
    read = tiny_model.generate(tiny_images[:2], seed=[3, 4], readings=3)

    seeds = seeds_of_readings(row_seeds([3, 4], 2), 3).numpy()
    assert seeds[0] == 3 and seeds[3] == 4 and len(set(seeds)) == 6
    alone = tiny_model.generate(tf.repeat(tiny_images[:2], 3, 0), seed=seeds)
    for name in read:
        np.testing.assert_allclose(read[name], alone[name], atol=1e-5)


def test_every_reading_begins_with_its_image_s_prompt(tiny_model, tiny_images):
    prompt = tiny_model.generate(tiny_images[:2])["tokens"].numpy()[:, :5]

    read = tiny_model.generate(tiny_images[:2], readings=2, prompt=prompt)

    np.testing.assert_array_equal(read["tokens"][:, :5], np.repeat(prompt, 2, 0))


def test_detect_tells_what_its_readings_agree_on_in_batches_of_any_size(tiny_model, tiny_images):
    wide = [(np.asarray(image)[:20] * 255).astype(np.uint8) for image in tiny_images[:3]]

    found = tiny_model.detect(wide, batch_size=2, readings=3)

    count = tiny_model.max_length // 5
    assert found["scores"].shape == (3, 3 * count) and (np.diff(found["scores"]) <= 0).all()
    for row, image in enumerate(wide):
        seeds = seeds_of_readings(row_seeds(0, 1), 3).numpy()
        alone = tiny_model.detect([image] * 3, seed=seeds)
        rows = {name: tf.constant(values) for name, values in alone.items()}
        for name, values in agreed(rows, 3).items():
            np.testing.assert_allclose(found[name][row], values[0], atol=1e-5)


def test_one_reading_is_detect_as_it_was(tiny_model, tiny_images):
    for name, values in tiny_model.detect(tiny_images).items():
        np.testing.assert_array_equal(tiny_model.detect(tiny_images, readings=1)[name], values)


@pytest.mark.parametrize("readings", [0, 17, 2.0, True, "2"])
def test_a_number_of_readings_that_is_none_is_refused(tiny_model, tiny_images, readings):
    with pytest.raises(InputError, match="readings must be a whole number from 1 to 16"):
        tiny_model.detect(tiny_images, readings=readings)


@pytest.mark.parametrize("sampler", ["greedy", "beam_search", samplers.BeamSearch(2)])
def test_readings_that_would_be_alike_are_refused(tiny_model, tiny_images, sampler):
    with pytest.raises(InputError, match="a sampler that draws"):
        tiny_model.detect(tiny_images, readings=2, sampler=sampler)
