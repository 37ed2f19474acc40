"""The token layout and the bins of coordinates."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pix2seq_keras import InputError, Vocabulary
from pix2seq_keras.vocabulary import dequantize, quantize

coordinates = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20)


@st.composite
def vocabularies(draw):
    """Any well-formed layout: compact, published, or with label slots of its own."""
    num_classes, num_bins = draw(st.integers(1, 20)), draw(st.integers(2, 500))
    kind = draw(st.sampled_from(["compact", "published", "own"]))
    if kind == "compact":
        return Vocabulary(num_classes, num_bins)
    labels = draw(st.lists(st.integers(0, 99), min_size=num_classes, max_size=num_classes, unique=True))
    if kind == "published":
        return Vocabulary.published(num_bins, coord_shift=200, size=200 + num_bins, class_ids=labels)
    gap, spare = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    shift = 7 + max(labels) + 1 + gap
    return Vocabulary(num_classes, num_bins, 4, 6, 7, tuple(labels), shift, shift + num_bins + spare)


def test_the_compact_layout_is_end_start_noise_classes_coordinates():
    vocabulary = Vocabulary(num_classes=10, num_bins=192)

    assert (vocabulary.start_token, vocabulary.noise_token) == (1, 2)
    assert vocabulary.class_tokens == tuple(range(3, 13))
    assert (vocabulary.coord_shift, vocabulary.size, vocabulary.num_labels) == (13, 205, 10)
    assert vocabulary.class_of_label == tuple(range(10))


def test_the_published_layout_gives_every_label_slot_but_0_a_class():
    vocabulary = Vocabulary.published()

    assert (vocabulary.start_token, vocabulary.noise_token, vocabulary.label_shift) == (10, 30, 100)
    assert (vocabulary.coord_shift, vocabulary.num_bins, vocabulary.size) == (1000, 1000, 3000)
    assert vocabulary.num_labels == 900
    assert vocabulary.num_classes == 899
    assert vocabulary.class_tokens[0] == 101
    assert vocabulary.class_of_label[0] == -1


def test_published_class_ids_may_have_gaps():
    vocabulary = Vocabulary.published(class_ids=[1, 2, 90])

    assert vocabulary.class_tokens == (101, 102, 190)
    assert vocabulary.class_of_label[90] == 2
    assert vocabulary.class_of_label[3] == -1
    assert vocabulary.num_labels == 900


@settings(max_examples=60, deadline=None)
@given(vocabularies())
def test_a_layout_never_uses_a_token_twice(vocabulary):
    bins = range(vocabulary.coord_shift, vocabulary.coord_shift + vocabulary.num_bins)
    tokens = [0, vocabulary.start_token, vocabulary.noise_token, *vocabulary.class_tokens, *bins]

    assert len(tokens) == len(set(tokens))
    assert max(tokens) < vocabulary.size
    assert all(vocabulary.class_of_label[label] == index for index, label in enumerate(vocabulary.labels))


@settings(max_examples=60, deadline=None)
@given(vocabularies())
def test_the_configuration_restores_an_equal_vocabulary(vocabulary):
    through_json = Vocabulary.from_config(json.loads(json.dumps(vocabulary.get_config())))
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(vocabulary)))
    through_keras = keras.saving.deserialize_keras_object(serialized)

    assert through_json == vocabulary
    assert through_keras == vocabulary
    assert hash(through_json) == hash(vocabulary)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be at least 1.*num_classes=0"),
        ({"num_classes": 3, "num_bins": 1}, "`num_bins` at least 2.*num_bins=1"),
        ({"num_classes": 3, "labels": (0, 1)}, "`labels` must have one slot for each class.*2 slots"),
        ({"num_classes": 3, "labels": ()}, "`labels` must have one slot for each class.*0 slots"),
        ({"num_classes": 3, "labels": (0, 1, 1)}, "`labels` must have one slot for each class.*2 of them different"),
        ({"num_classes": 3, "labels": (-1, 0, 1)}, "`labels` must be in 0 … .*from -1 to 1"),
        ({"num_classes": 3, "coord_shift": 5}, "`labels` must be in 0 … 1.*from 0 to 2"),
        ({"num_classes": 3, "num_bins": 8, "size": 13}, "`size` must be at least 14.*size=13"),
        ({"num_classes": 3, "start_token": 2}, "two different tokens.*start_token=2, noise_token=2"),
        ({"num_classes": 3, "start_token": 0}, "two different tokens.*start_token=0"),
        ({"num_classes": 3, "noise_token": 3}, "from 1 to 2.*noise_token=3, label_shift=3"),
        ({"num_classes": 3, "start_token": -1}, "two different tokens.*start_token=-1"),
    ],
)
def test_a_layout_that_is_not_valid_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(**arguments)


def test_the_published_layout_needs_room_for_its_class_ids():
    with pytest.raises(InputError, match=r"0 … 899.*to 900"):
        Vocabulary.published(class_ids=[1, 900])
    with pytest.raises(InputError, match=r"`size` must be at least 2000.*size=1500"):
        Vocabulary.published(size=1500)


def test_halves_round_to_the_even_bin():
    halves = (np.arange(16) + 0.5) / 16  # exact in float32: between two of 17 bins

    assert quantize(halves, 17).numpy().tolist() == [0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14, 16]


def test_coordinates_outside_are_clipped_to_the_first_and_last_bin():
    assert quantize([-np.inf, -1.0, -1e-6, 1 + 1e-6, 7.0, np.inf], 100).numpy().tolist() == [0, 0, 0, 99, 99, 99]
    assert dequantize([-5, 0, 99, 200], 100).numpy().tolist() == [0, 0, 1, 1]


@settings(max_examples=50, deadline=None)
@given(coordinates, st.integers(2, 3000))
def test_quantising_is_rounding_in_float32(values, num_bins):
    values = np.array(values, np.float32)

    bins = quantize(values, num_bins).numpy()

    assert bins.dtype == np.int32
    np.testing.assert_array_equal(bins, np.rint(values * np.float32(num_bins - 1)))


@settings(max_examples=50, deadline=None)
@given(coordinates, st.integers(2, 3000))
def test_a_dequantised_coordinate_is_within_half_a_bin(values, num_bins):
    back = dequantize(quantize(values, num_bins), num_bins).numpy()

    np.testing.assert_allclose(back, values, rtol=0, atol=0.5 / (num_bins - 1) + 1e-6)


@pytest.mark.parametrize("num_bins", [2, 3, 64, 192, 1000, 2000])
def test_every_bin_is_restored_exactly(num_bins):
    bins = np.arange(num_bins)

    np.testing.assert_array_equal(quantize(dequantize(bins, num_bins), num_bins), bins)
