"""From tokens back to objects."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2seq_keras import Vocabulary
from pix2seq_keras.sequences import NOISE_CLASS, class_scores, parse, parse_labels, serialize

COMPACT = Vocabulary(num_classes=5, num_bins=37)
GAPPED = Vocabulary.published(num_bins=200, coord_shift=200, size=420, class_ids=(1, 5, 17, 80, 99))


@st.composite
def images(draw):
    """Objects of one image: boxes (n, 4), classes (n,) with noise among them and padding at the end."""
    count, padding = draw(st.integers(0, 6)), draw(st.integers(0, 3))
    numbers = st.floats(0, 1, width=32)
    boxes = draw(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=count, max_size=count))
    classes = draw(st.lists(st.sampled_from([NOISE_CLASS, 0, 1, 2, 3, 4]), min_size=count, max_size=count))
    boxes = np.array(boxes, np.float32).reshape(count, 4)
    boxes = np.concatenate([boxes, np.full((padding, 4), 0.5, np.float32)])  # what padding holds must not matter
    return boxes, np.array(classes + [-1] * padding, np.int32)


@pytest.mark.parametrize("vocabulary", [COMPACT, GAPPED], ids=["compact", "published"])
@settings(max_examples=50, deadline=None)
@given(images())
def test_parsing_inverts_serialisation(vocabulary, image):
    boxes, classes = image
    real = classes >= 0

    objects = parse(serialize(boxes, classes, vocabulary)[None], vocabulary)

    np.testing.assert_array_equal(objects["classes"][0], np.where(real, classes, -1))
    np.testing.assert_array_equal(objects["scores"][0], real.astype(np.float32))
    assert objects["num_detections"].numpy().tolist() == [real.sum()]
    half_a_bin = 0.5 / (vocabulary.num_bins - 1) + 1e-6
    np.testing.assert_allclose(objects["boxes"][0], np.where(real[:, None], boxes, 0), rtol=0, atol=half_a_bin)
    again = serialize(objects["boxes"], objects["classes"], vocabulary).numpy().reshape(-1, 5)
    np.testing.assert_array_equal(again[real], serialize(boxes, classes, vocabulary).numpy().reshape(-1, 5)[real])


@pytest.mark.parametrize("variant", ["vit", "resnet", "resnet_c4"])
def test_the_published_logits_give_the_published_predictions(shared_dir, variant):
    folder = shared_dir / "reference" / variant
    golden = np.load(folder / "golden.npz")
    config = json.loads((folder / "config.json").read_text())
    vocabulary = Vocabulary.published(config["quantization_bins"], config["coord_vocab_shift"], config["vocab_size"])

    classes, scores = class_scores(golden["greedy_logits"][:, 4::5], vocabulary)
    objects = parse(golden["greedy_tokens"], vocabulary, classes, scores)

    np.testing.assert_array_equal(classes + 1, golden["pred_class"])
    np.testing.assert_allclose(scores, golden["pred_score"], rtol=1e-4, atol=1e-7)
    something = golden["pred_class"] > 0
    np.testing.assert_array_equal(objects["classes"] + 1, golden["pred_class"])
    np.testing.assert_allclose(objects["boxes"].numpy()[something], golden["pred_bbox"][something], atol=1e-6)
    np.testing.assert_allclose(objects["scores"].numpy()[something], golden["pred_score"][something], rtol=1e-4)


def test_left_over_tokens_are_cut():
    tokens = serialize(np.array([[[0.1, 0.2, 0.3, 0.4]] * 2], np.float32), np.array([[1, 2]]), COMPACT).numpy()

    objects = parse(tokens[:, :9], COMPACT)

    assert objects["classes"].numpy().tolist() == [[1]]
    assert parse(tokens[:, :4], COMPACT)["boxes"].shape == (1, 0, 4)


def test_the_end_token_and_what_follows_are_no_objects():
    boxes = np.full((1, 3, 4), 0.5, np.float32)
    tokens = serialize(boxes, np.array([[0, 1, 2]]), COMPACT).numpy()
    tokens[0, 5] = 0

    objects = parse(tokens, COMPACT)

    assert objects["classes"].numpy().tolist() == [[0, -1, -1]]
    assert objects["scores"].numpy().tolist() == [[1, 0, 0]]
    assert objects["boxes"].numpy()[0, 1:].max() == 0
    assert objects["num_detections"].numpy().tolist() == [1]


def test_an_object_with_another_token_at_its_class_place_is_dropped():
    boxes = np.full((1, 4, 4), 0.5, np.float32)
    tokens = serialize(boxes, np.array([[0, 1, 2, 3]]), GAPPED).numpy()
    tokens[0, 4::5] = [100, 102, 30, 250]  # nothing, a slot without a class, noise, a coordinate

    assert parse(tokens, GAPPED)["classes"].numpy().tolist() == [[-1, -1, -1, -1]]


def test_boxes_are_not_repaired_but_clipped():
    tokens = np.array([[GAPPED.coord_shift + 150, 120, GAPPED.coord_shift + 20, GAPPED.coord_shift + 210, 101]])

    boxes = parse(tokens, GAPPED)["boxes"].numpy()[0, 0]

    np.testing.assert_allclose(boxes, [150 / 199, 0, 20 / 199, 1], atol=1e-6)  # ymax < ymin stays


def test_the_published_score_is_normalised_over_the_whole_vocabulary():
    logits = np.random.default_rng(0).normal(size=(3, 7, GAPPED.size)).astype(np.float32)
    logits[0, 0, 100] = 9.0  # "nothing" wins
    logits[0, 1, 105] = 9.0  # label 5 is class 1
    logits[0, 2, 102] = 9.0  # a label slot without a class

    classes, scores = class_scores(logits, GAPPED)

    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    assert classes.shape == scores.shape == (3, 7)
    assert classes.numpy()[0, :3].tolist() == [-1, 1, -1]
    np.testing.assert_allclose(scores, probabilities[..., 100:200].max(-1), rtol=1e-5)


def test_given_classes_and_scores_replace_the_class_tokens():
    tokens = serialize(np.full((1, 2, 4), 0.5, np.float32), np.array([[0, NOISE_CLASS]]), COMPACT)

    objects = parse(tokens, COMPACT, np.array([[3, 4]]), np.array([[0.25, 0.5]], np.float32))

    assert objects["classes"].numpy().tolist() == [[3, 4]]
    assert objects["scores"].numpy().tolist() == [[0.25, 0.5]]


def test_the_published_parser_continues_after_an_end_token():
    vocabulary = Vocabulary(num_classes=2, num_bins=8)
    first, last = vocabulary.coord_shift, vocabulary.coord_shift + 7
    token_of_class_1 = vocabulary.class_tokens[1]
    tokens = np.array([[0, first, last, last, token_of_class_1, first, first, last, last, token_of_class_1]])

    published = parse(tokens, vocabulary, until_end=False)
    ended = parse(tokens, vocabulary)

    np.testing.assert_array_equal(published["classes"], [[1, 1]])
    np.testing.assert_array_equal(ended["classes"], [[-1, -1]])


def test_parse_labels_gives_the_best_pairs_of_objects_and_classes():
    boxes = np.array([[[0, 0, 0.5, 1], [0.5, 0.5, 1, 1], [0, 0, 1, 1]]], np.float32)
    tokens = serialize(boxes, np.array([[0, 1, NOISE_CLASS]]), COMPACT)
    probabilities = np.zeros((1, 3, COMPACT.num_classes), np.float32)
    probabilities[0, 0, :2] = [0.5, 0.4]  # may be two things
    probabilities[0, 1, 1] = 0.9
    probabilities[0, 2, 2] = 0.1  # noise, most likely

    objects = parse_labels(tokens, COMPACT, probabilities)

    assert objects["classes"].numpy().tolist() == [[1, 0, 1]]
    np.testing.assert_allclose(objects["scores"], [[0.9, 0.5, 0.4]])
    np.testing.assert_allclose(objects["boxes"][0], boxes[0, [1, 0, 0]], atol=0.5 / (COMPACT.num_bins - 1))
    assert objects["num_detections"].numpy().tolist() == [3]


def test_parse_labels_drops_likely_objects_after_the_end():
    box = [COMPACT.coord_shift] * 4
    tokens = np.array([[*box, COMPACT.class_tokens[0], 0, 0, 0, 0, 0, *box, COMPACT.class_tokens[1]]])
    probabilities = np.full((1, 3, COMPACT.num_classes), 0.9 / COMPACT.num_classes, np.float32)

    objects = parse_labels(tokens, COMPACT, probabilities)

    assert (objects["boxes"].numpy() == 0).all()
    assert set(objects["classes"].numpy()[0]) <= {-1, *range(COMPACT.num_classes)}
    empty = parse_labels(tokens[:, 5:], COMPACT, probabilities[:, 1:])
    assert empty["classes"].numpy().tolist() == [[-1, -1]] and empty["num_detections"].numpy().tolist() == [0]
