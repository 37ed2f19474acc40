"""Several samples of one image, and their merged detections."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2seq_keras import InputError
from pix2seq_keras.decoding import row_seeds
from pix2seq_keras.models.ensemble import merge_detections, sample_seeds

A, B = [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]
NEAR_A = [0.1, 0.1, 0.5, 0.6]  # IoU with A 0.8


def merge(*samples):
    """The merged detections of one image's samples, lists of (box, class, score) of equal length."""
    rows = {
        "boxes": tf.constant([[box for box, _, _ in sample] for sample in samples], tf.float32),
        "classes": tf.constant([[class_ for _, class_, _ in sample] for sample in samples], tf.int32),
        "scores": tf.constant([[score for _, _, score in sample] for sample in samples], tf.float32),
    }
    found = {name: values.numpy()[0] for name, values in merge_detections(rows, len(samples)).items()}
    number = found["num_detections"]
    assert found["classes"].shape == (len(samples) * len(samples[0]),)
    assert (found["classes"][number:] == -1).all() and not found["scores"][number:].any()
    assert not found["boxes"][number:].any()
    return [(found["boxes"][i], int(found["classes"][i]), float(found["scores"][i])) for i in range(number)]


def test_a_score_is_the_mean_over_samples_and_a_box_the_weighted_mean():
    (first, second) = merge([(A, 2, 0.9), (B, 1, 0.8)], [(NEAR_A, 2, 0.3), ([0, 0, 0, 0], -1, 0.0)])

    assert (first[1], second[1]) == (2, 1)
    assert first[2] == pytest.approx(0.6) and second[2] == pytest.approx(0.4)
    np.testing.assert_allclose(first[0], [0.1, 0.1, 0.5, 0.525], atol=1e-6)
    np.testing.assert_allclose(second[0], B, atol=1e-6)


def test_what_one_sample_detects_twice_counts_once():
    (only,) = merge([(A, 0, 0.8), (NEAR_A, 0, 0.6)], [(A, 0, 0.4), (A, 0, 0.4)])

    assert only[2] == pytest.approx((0.8 + 0.4) / 2)


def test_other_classes_and_distant_boxes_are_not_merged():
    found = merge([(A, 0, 0.8), (A, 1, 0.2)], [(B, 0, 0.5), ([0.1, 0.1, 0.5, 0.25], 0, 0.4)])

    assert [(class_, pytest.approx(score)) for _, class_, score in found] == [(0, 0.4), (0, 0.25), (0, 0.2), (1, 0.1)]


def test_a_box_that_overlaps_no_better_merged_object_is_an_object_of_its_own():
    # Each box overlaps the next one by an IoU of 0.6, but not the one after: the second is merged with the first, and
    # the third stays.
    boxes = [[0.0, shift, 1.0, shift + 0.4] for shift in (0.0, 0.1, 0.2)]

    found = merge([(box, 0, score) for box, score in zip(boxes, (0.9, 0.8, 0.7), strict=True)])

    assert [pytest.approx(score) for _, _, score in found] == [0.9, 0.7]
    np.testing.assert_allclose(found[1][0], boxes[2], atol=1e-6)


def test_empty_boxes_and_scores_of_zero_are_kept():
    line = [0.2, 0.2, 0.2, 0.9]

    found = merge([(line, 0, 0.5), (A, 1, 0.0)])

    np.testing.assert_allclose(found[0][0], line, atol=1e-6)
    np.testing.assert_allclose(found[1][0], A, atol=1e-6)


def reference(boxes, classes, scores, num_samples):
    """The definition in plain Python, one box after the other."""
    left = sorted((i for i in range(len(scores)) if classes[i] >= 0), key=lambda i: (-scores[i], i))
    of_sample, found = np.arange(len(scores)) // (len(scores) // num_samples), []
    while left:
        lead = left[0]
        gathered = [i for i in left if i == lead or (classes[i] == classes[lead] and iou(boxes[i], boxes[lead]) >= 0.5)]
        left = [i for i in left if i not in gathered]
        best = [max([scores[i] for i in gathered if of_sample[i] == k], default=0.0) for k in range(num_samples)]
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
@given(seed=st.integers(0, 2**31 - 1), num_samples=st.integers(1, 4), count=st.integers(1, 12))
def test_merging_is_greedy_as_in_the_definition(seed, num_samples, count):
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 0.5, (num_samples * count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(0.2, 0.5, corners.shape)], 1).astype(np.float32)
    classes = random.integers(-1, 2, len(boxes))
    scores = np.where(classes >= 0, random.uniform(0.01, 1, len(boxes)), 0).astype(np.float32)

    shaped = lambda values: values.reshape(num_samples, count, *values.shape[1:]).tolist()
    found = merge(
        *(list(zip(*rows, strict=True)) for rows in zip(shaped(boxes), shaped(classes), shaped(scores), strict=True))
    )

    expected = reference(boxes.astype(float), classes, scores.astype(float), num_samples)
    assert [class_ for _, class_, _ in found] == [class_ for _, class_, _ in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one[0], other[0], atol=1e-5)
        assert one[2] == pytest.approx(other[2], abs=1e-5)


def test_samples_are_the_rows_of_their_seeds(tiny_model, tiny_images):
    samples = tiny_model.generate(tiny_images[:2], seed=[3, 4], num_samples=3)

    seeds = sample_seeds(row_seeds([3, 4], 2), 3).numpy()
    assert seeds[0] == 3 and seeds[3] == 4 and len(set(seeds)) == 6
    alone = tiny_model.generate(tf.repeat(tiny_images[:2], 3, 0), seed=seeds)
    for name, values in samples.items():
        np.testing.assert_allclose(values, alone[name], atol=1e-5)


def test_every_sample_begins_with_the_prompt_of_its_image(tiny_model, tiny_images):
    prompt = tiny_model.generate(tiny_images[:2])["tokens"].numpy()[:, :5]

    samples = tiny_model.generate(tiny_images[:2], num_samples=2, prompt=prompt)

    np.testing.assert_array_equal(samples["tokens"][:, :5], np.repeat(prompt, 2, 0))


def test_detect_merges_its_samples_in_batches_of_any_size(tiny_model, tiny_images):
    wide = [(np.asarray(image)[:20] * 255).astype(np.uint8) for image in tiny_images[:3]]

    found = tiny_model.detect(wide, batch_size=2, num_samples=3)

    count = tiny_model.max_length // 5
    assert found["scores"].shape == (3, 3 * count) and (np.diff(found["scores"]) <= 0).all()
    for row, image in enumerate(wide):
        seeds = sample_seeds(row_seeds(0, 1), 3).numpy()
        alone = tiny_model.detect([image] * 3, seed=seeds)
        rows = {name: tf.constant(values) for name, values in alone.items()}
        for name, values in merge_detections(rows, 3).items():
            np.testing.assert_allclose(found[name][row], values[0], atol=1e-5)


def test_one_sample_is_not_merged(tiny_model, tiny_images):
    for name, values in tiny_model.detect(tiny_images).items():
        np.testing.assert_array_equal(tiny_model.detect(tiny_images, num_samples=1)[name], values)


@pytest.mark.parametrize("option", [{"num_samples": 17}, {"num_samples": 2, "sampler": "greedy"}])
def test_samples_that_cannot_be_merged_are_refused(tiny_model, tiny_images, option):
    for method in (tiny_model.generate, tiny_model.detect):
        with pytest.raises(InputError, match="`num_samples`"):
            method(tiny_images, **option)
