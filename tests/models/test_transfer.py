"""A trained model for other classes."""

import numpy as np
import pytest

from pix2seq_keras import Categories, InputError, Vocabulary
from pix2seq_keras.models.transfer import with_classes


def rows(model):
    return np.array(model.embedding.embeddings), np.array(model.embedding.output_bias)


def others(model):
    """All weights but those with a row for every token."""
    of_tokens = {id(model.embedding.embeddings), id(model.embedding.output_bias)}
    return [np.array(weight) for weight in model.weights if id(weight) not in of_tokens]


@pytest.mark.parametrize("num_classes", [1, 5])
def test_all_but_the_class_tokens_keep_their_weights(tiny_model, num_classes):
    names = Categories.from_names([f"class {index}" for index in range(num_classes)])

    model = with_classes(tiny_model, num_classes, names)

    assert model.vocabulary == Vocabulary(num_classes, 16)
    assert model.categories == names
    for old, new in zip(others(tiny_model), others(model), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(rows(tiny_model), rows(model), strict=True):
        np.testing.assert_array_equal(new[:3], old[:3])  # end, start, noise
        np.testing.assert_array_equal(new[3 + num_classes :], old[6:])  # coordinates
        fresh = new[3 : 3 + num_classes]
        assert np.abs(fresh).max() < 0.05 and np.abs(fresh).max() > 0
        assert (fresh[:1] != old[3:4]).any()


def test_the_old_model_is_left_as_it_was(tiny_model):
    before = [np.array(weight) for weight in tiny_model.weights]

    other = with_classes(tiny_model, 4)
    other.embedding.embeddings.assign(other.embedding.embeddings * 0)

    for old, weight in zip(before, tiny_model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


def test_the_published_layout_keeps_its_size_and_place_of_coordinates(build_tiny_model):
    vocabulary = Vocabulary.published(num_bins=16, coord_shift=110, size=130, class_ids=(1, 4))
    model = build_tiny_model(vocabulary=vocabulary)

    other = with_classes(model, 5)

    assert other.vocabulary.class_tokens == (101, 102, 103, 104, 105)
    assert (other.vocabulary.coord_shift, other.vocabulary.size) == (110, 130)
    for old, new in zip(rows(model), rows(other), strict=True):
        np.testing.assert_array_equal(new[:100], old[:100])
        np.testing.assert_array_equal(new[110:], old[110:])
        assert (new[100:110] != old[100:110]).any()


def test_more_classes_than_label_slots_are_refused(build_tiny_model):
    vocabulary = Vocabulary.published(num_bins=16, coord_shift=110, size=130, class_ids=(1, 4))
    model = build_tiny_model(vocabulary=vocabulary)

    with pytest.raises(InputError, match="Label slots must lie in 0 … 9"):
        with_classes(model, 10)
