"""From objects to input tokens, targets and token weights."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from pix2seq_keras import Vocabulary
from pix2seq_keras.sequences import (
    NOISE_CLASS,
    SequenceOptions,
    append_noise,
    replaced_class_tokens,
    select_objects,
    serialize,
    token_weights,
    training_sequence,
)

VOCABULARY = Vocabulary(num_classes=3, num_bins=11)  # classes 3 4 5, coordinates 6 … 16
BOXES = np.array([[0.0, 0.1, 0.2, 0.3], [0.4, 0.5, 0.6, 0.7]], np.float32)
CLASSES = np.array([2, 0], np.int32)
SEED = (7, 8)


def test_the_published_sequences_are_reproduced(shared_dir):
    golden = np.load(shared_dir / "reference" / "preprocessing" / "golden.npz")
    vocabulary = Vocabulary.published(int(golden["seq_bins"]), int(golden["seq_coord_vocab_shift"]))
    labels = golden["seq_label"]  # (4, 7)
    classes = np.where(labels == -70, NOISE_CLASS, labels - 1).astype(np.int32)

    tokens = serialize(golden["seq_bbox"].astype(np.float32), classes, vocabulary)

    assert (labels == -70).any() and (labels == 0).any()
    np.testing.assert_array_equal(tokens, golden["seq_response"])
    np.testing.assert_array_equal(token_weights(classes), golden["seq_token_weights"])


def test_an_object_is_five_tokens_noise_has_a_class_and_padding_is_zeros():
    boxes = np.concatenate([BOXES, BOXES])

    tokens = serialize(boxes, np.array([2, NOISE_CLASS, -1, 1]), VOCABULARY).numpy()

    expected = [[6, 7, 8, 9, 5], [10, 11, 12, 13, 2], [0, 0, 0, 0, 0], [10, 11, 12, 13, 4]]
    assert tokens.reshape(-1, 5).tolist() == expected
    assert tokens.dtype == np.int32


def test_a_batch_serialises_as_its_images_one_by_one():
    rng = np.random.default_rng(0)
    boxes, classes = rng.uniform(0, 1, (2, 3, 4, 4)).astype(np.float32), rng.integers(-2, 3, (2, 3, 4))

    together = serialize(boxes, classes, VOCABULARY)

    assert together.shape == (2, 3, 20)
    np.testing.assert_array_equal(together[1, 2], serialize(boxes[1, 2], classes[1, 2], VOCABULARY))


def test_noise_coordinates_have_weight_0_and_noise_classes_the_weight_of_the_options():
    weights = token_weights(np.array([1, NOISE_CLASS, -1]), noise_weight=0.3).numpy()

    np.testing.assert_allclose(weights, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0.3, 1, 1, 1, 1, 1])


def test_the_input_is_the_start_token_and_the_targets_without_their_last():
    options = SequenceOptions(max_objects=3, input_classes="none")

    tokens, targets, _ = training_sequence(BOXES, CLASSES, VOCABULARY, options, SEED)

    assert targets.numpy().tolist() == [6, 7, 8, 9, 5, 10, 11, 12, 13, 3, 0, 0, 0, 0, 0]
    assert tokens.numpy().tolist() == [1, 6, 7, 8, 9, 5, 10, 11, 12, 13, 3, 0, 0, 0, 0]


def test_only_class_tokens_of_the_input_are_replaced():
    options = SequenceOptions(max_objects=6)
    boxes, classes = np.tile(BOXES, (2, 1)), np.array([0, 1, 2, NOISE_CLASS], np.int32)
    changed = np.zeros(30, bool)

    for seed in range(10):
        tokens, targets, _ = training_sequence(boxes, classes, VOCABULARY, options, (0, seed))
        changed[1:] |= tokens.numpy()[1:] != targets.numpy()[:-1]

    assert np.flatnonzero(changed).tolist() == [5, 10, 15, 20]  # every object's, noise too; never the padding's


@pytest.mark.parametrize(
    ("options", "end", "padding"),
    [({}, 0.1, 0.1), ({"end_weight": 0.7}, 0.7, 0.1), ({"train_end": False}, 0.0, 0.1),
     ({"padding_weight": 0.0, "end_weight": 1.0}, 1.0, 0.0)],
)  # fmt: skip
def test_end_and_padding_have_their_own_weights(options, end, padding):
    options = SequenceOptions(max_objects=4, noise_weight=0.5, **options)

    _, _, weights = training_sequence(BOXES, np.array([1, NOISE_CLASS]), VOCABULARY, options, SEED)

    np.testing.assert_allclose(weights, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0.5, end] + [padding] * 9)


def test_a_full_sequence_has_no_end():
    _, targets, weights = training_sequence(BOXES, CLASSES, VOCABULARY, SequenceOptions(max_objects=2), SEED)

    assert targets.numpy().min() > 0
    assert weights.numpy().tolist() == [1] * 10


def test_an_image_without_objects_is_end_and_padding():
    options = SequenceOptions(max_objects=2, end_weight=1.0)

    tokens, targets, weights = training_sequence(BOXES[:0], CLASSES[:0], VOCABULARY, options, SEED)

    assert tokens.numpy().tolist() == [1] + [0] * 9
    assert targets.numpy().tolist() == [0] * 10
    np.testing.assert_allclose(weights, [1] + [0.1] * 9)


def test_noise_objects_fill_the_sequence():
    options = SequenceOptions(max_objects=7)

    boxes, classes = append_noise(BOXES, CLASSES, options, SEED)

    assert boxes.shape == (7, 4)
    np.testing.assert_array_equal(boxes[:2], BOXES)
    assert classes.numpy().tolist() == [2, 0] + [NOISE_CLASS] * 5


def test_noise_can_be_left_out():
    boxes, classes = append_noise(BOXES, CLASSES, SequenceOptions(max_objects=7, noise=False), SEED)

    np.testing.assert_array_equal(boxes, BOXES)
    np.testing.assert_array_equal(classes, CLASSES)


def test_noise_options_reach_the_noise():
    options = SequenceOptions(max_objects=8, duplicate_share=1.0, jitter=0.0)

    boxes, _ = append_noise(BOXES[:1], CLASSES[:1], options, SEED)

    np.testing.assert_array_equal(boxes, np.tile(BOXES[:1], (8, 1)))


def test_objects_beyond_max_objects_are_dropped_after_ordering():
    boxes = np.linspace(0, 0.9, 10)[:, None] * [0, 0, 1, 1]  # ever larger
    classes = np.arange(10, dtype=np.int32)

    for options in (SequenceOptions(4, "area"), SequenceOptions(4, "area", noise=False)):
        _, kept = select_objects(boxes.astype(np.float32), classes, options, SEED)
        assert kept.numpy().tolist() == [9, 8, 7, 6]
    cut = {
        tuple(select_objects(boxes.astype(np.float32), classes, SequenceOptions(4), (0, s))[1].numpy())
        for s in range(8)
    }
    assert len(cut) == 8  # in random order, others are left out every time
    assert all(min(kept) >= 0 for kept in cut)  # real objects leave no room for noise


@pytest.mark.parametrize(
    ("mode", "real", "noise", "label"),
    [
        ("none", 1.0, 0.0, 0.0),
        ("rand_cls", 0.0, 0.0, 1.0),
        ("rand_n_fake_cls", 0.0, 0.5, 0.5),
        ("real_n_fake_cls", 0.5, 0.5, 0.0),
        ("real_n_rand_n_fake_cls", 0.5, 0.25, 0.25),
    ],
)
def test_input_classes_are_replaced_as_often_as_published(mode, real, noise, label):
    count = 4000
    vocabulary = Vocabulary.published(num_bins=10, coord_shift=120, size=130, class_ids=(3, 7))  # 20 label slots
    classes = np.ones(count, np.int32)  # token 107

    shown = replaced_class_tokens(classes, vocabulary, mode, SEED).numpy()

    labels = np.bincount(shown[shown >= 100] - 100, minlength=20)
    # A random label may be the real one too.
    assert abs((shown == 30).mean() - noise) < 0.03
    assert abs(labels[7] / count - (real + label / 20)) < 0.03
    assert (shown == 30).sum() + labels.sum() == count
    others = np.delete(labels, 7)
    if label:
        assert stats.chisquare(others).pvalue > 1e-3  # uniform over all slots, those without a class included
    else:
        assert others.sum() == 0


def test_padding_is_never_replaced():
    for mode in ("none", "rand_cls", "rand_n_fake_cls", "real_n_fake_cls", "real_n_rand_n_fake_cls"):
        assert not replaced_class_tokens(np.full(50, -1), VOCABULARY, mode, SEED).numpy().any()


def test_the_same_seed_gives_the_same_sequence():
    build = lambda seed: training_sequence(
        *select_objects(BOXES, CLASSES, SequenceOptions(9), seed), VOCABULARY, SequenceOptions(9), seed
    )

    one, again, other = build((1, 2)), build((1, 2)), build((1, 3))

    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (one[0].numpy() != other[0].numpy()).any()


@pytest.mark.parametrize("noise", [True, False])
def test_sequences_are_built_in_tf_data_with_any_number_of_objects(noise):
    options = SequenceOptions(max_objects=3, noise=noise)

    def examples():
        for count in (0, 1, 5):
            yield np.full((count, 4), 0.5, np.float32), np.ones(count, np.int32)

    signature = (tf.TensorSpec([None, 4], tf.float32), tf.TensorSpec([None], tf.int32))
    dataset = tf.data.Dataset.from_generator(examples, output_signature=signature).enumerate()

    def build(index, example):
        seed = tf.stack([tf.constant(0, tf.int64), index])
        return training_sequence(*select_objects(*example, options, seed), VOCABULARY, options, seed)

    dataset = dataset.map(build, num_parallel_calls=2)

    assert [spec.shape for spec in dataset.element_spec] == [(15,), (15,), (15,)]
    rows = [[part.numpy() for part in row] for row in dataset]
    real = [int(np.isin(targets[4::5], VOCABULARY.class_tokens).sum()) for _, targets, _ in rows]
    assert real == [0, 1, 3]
    eager = build(tf.constant(1, tf.int64), (tf.fill([1, 4], 0.5), tf.ones([1], tf.int32)))
    for in_graph, here in zip(rows[1], eager, strict=True):
        np.testing.assert_array_equal(in_graph, here)
