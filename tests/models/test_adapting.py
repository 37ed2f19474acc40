"""Adapting a trained model to other classes, another canvas, more objects or another precision."""

import keras
import numpy as np
import pytest

from pix2seq_keras import Categories, InputError, Vocabulary
from pix2seq_keras.layers import ResidualStem, named_backbone, sine_code_2d
from pix2seq_keras.models.adapting import with_classes, with_dtype, with_image_size, with_max_objects


def rows(model):
    return np.array(model.embedding.embeddings), np.array(model.embedding.output_bias)


def others(model):
    """All weights but those with a row for every token."""
    of_tokens = {id(model.embedding.embeddings), id(model.embedding.output_bias)}
    return [np.array(weight) for weight in model.weights if id(weight) not in of_tokens]


@pytest.mark.parametrize("num_classes", [1, 5])
def test_all_weights_but_those_of_class_tokens_are_kept(tiny_model, num_classes):
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


def test_the_original_model_is_not_changed(tiny_model):
    before = [np.array(weight) for weight in tiny_model.weights]

    other = with_classes(tiny_model, 4)
    other.embedding.embeddings.assign(other.embedding.embeddings * 0)

    for old, weight in zip(before, tiny_model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


def test_the_published_layout_keeps_all_weights_and_token_ranges(build_tiny_model):
    vocabulary = Vocabulary.published(num_bins=16, coord_shift=110, size=130, class_ids=(1, 4))
    model = build_tiny_model(vocabulary=vocabulary)

    other = with_classes(model, 5)

    assert other.vocabulary.class_tokens == (101, 102, 103, 104, 105)
    assert (other.vocabulary.coord_shift, other.vocabulary.size) == (110, 130)
    for old, new in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(new, old)


def test_more_classes_than_label_slots_are_refused(build_tiny_model):
    vocabulary = Vocabulary.published(num_bins=16, coord_shift=110, size=130, class_ids=(1, 4))
    model = build_tiny_model(vocabulary=vocabulary)

    with pytest.raises(InputError, match="`labels` must be in 0 … 9"):
        with_classes(model, 10)


def functional(canvas):
    images = keras.Input((*canvas, 3))
    return keras.Model(images, keras.layers.Conv2D(8, 8, 8)(images))


@pytest.mark.parametrize(
    "backbone",
    [lambda _: ResidualStem((8, 8, 16)), lambda _: keras.Sequential([keras.layers.Conv2D(8, 8, 8)]), functional],
    ids=["layer", "sequential", "functional"],
)
def test_another_canvas_equals_a_model_built_for_it_with_the_same_weights(build_tiny_model, backbone):
    model = build_tiny_model(encoder=backbone((32, 32)))
    wanted = type(model)(model.vocabulary, (32, 48), backbone((32, 48)), **model.decoder_config)
    wanted.set_weights(model.get_weights())
    images = np.random.default_rng(0).uniform(0, 1, (2, 32, 48, 3)).astype("float32")
    inputs = {"images": images, "tokens": np.array([[1, 8, 9], [1, 10, 11]])}

    other = with_image_size(model, (32, 48))

    assert other.image_size == (32, 48)
    assert other.encoder.grid == wanted.encoder.grid
    np.testing.assert_array_equal(other.bridge.position_code, sine_code_2d(*other.encoder.grid, 16))
    np.testing.assert_allclose(other(inputs), wanted(inputs), atol=1e-5)
    assert model.image_size == (32, 32)


def test_another_canvas_survives_saving(tiny_model, tmp_path):
    with_image_size(tiny_model, (64, 32)).save(tmp_path / "other.keras")

    loaded = keras.saving.load_model(tmp_path / "other.keras")

    assert loaded.image_size == (64, 32)
    assert loaded.encode(np.zeros((1, 64, 32, 3), "float32")).shape[1] == np.prod(loaded.encoder.grid)


def test_an_encoder_for_one_size_only_is_refused_another(build_tiny_model):
    images = keras.Input((32, 32, 3))
    rigid = keras.Model(images, keras.layers.Reshape((4, 4, 8))(keras.layers.Conv2D(8, 8, 8)(images)))
    model = build_tiny_model(encoder=rigid)

    with pytest.raises(
        InputError, match=r"not supported by this model of 32×32 pixels\. Received: image_size=\(64, 64\)\. .*"
    ):
        with_image_size(model, 64)


@pytest.mark.parametrize("size", [0, -32, (32,), (32, 0), (32, 32, 3), 32.5, "32", (32, None)])
def test_an_invalid_canvas_is_refused(tiny_model, size):
    with pytest.raises(
        InputError, match=r"`image_size` must be a positive integer or a pair \(H, W\), in pixels\. Received"
    ):
        with_image_size(tiny_model, size)


@pytest.mark.parametrize("dtype, half", [("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16")])
def test_another_precision_gives_nearly_the_same_logits_from_the_same_weights(tiny_model, tiny_images, dtype, half):
    inputs = {"images": tiny_images[:2], "tokens": np.array([[1, 8, 9], [1, 10, 11]])}

    other = with_dtype(tiny_model, dtype)

    layers = [layer for layer in other._flatten_layers() if layer.weights and layer is not other]
    assert {layer.compute_dtype for layer in layers} == {half}
    assert {weight.dtype for weight in other.weights} == {"float32"}
    expected = np.asarray(tiny_model(inputs))
    np.testing.assert_allclose(other(inputs), expected, atol=0.05 * np.abs(expected).max())
    back = with_dtype(other, "float32")
    np.testing.assert_array_equal(back(inputs), expected)


def test_an_unknown_precision_is_refused(tiny_model):
    with pytest.raises(
        InputError, match=r"`dtype` must be one of float32, mixed_bfloat16, .* Received: dtype='float8'"
    ):
        with_dtype(tiny_model, "float8")


def test_a_class_keeps_the_weights_of_the_class_with_its_name(build_tiny_model):
    model = build_tiny_model(categories=Categories.from_names(["ant", "bee", "cow"]))

    other = with_classes(model, 4, Categories.from_names(["cow", "dog", "ant", "bee"]))

    for old, new in zip(rows(model), rows(other), strict=True):
        np.testing.assert_array_equal(new[[3, 5, 6]], old[[5, 3, 4]])
        assert (new[4:5] != old[3:6]).any(axis=tuple(range(1, new.ndim))).all()
    same = with_classes(model, 3, Categories(ids=(7, 8, 9), names=("ant", "bee", "cow")))
    assert same.categories.ids == (7, 8, 9)
    for old, new in zip(rows(model), rows(same), strict=True):
        np.testing.assert_array_equal(new, old)


def test_in_the_published_layout_a_known_name_keeps_its_slot_and_a_new_name_takes_the_slot_of_its_id(build_tiny_model):
    vocabulary = Vocabulary.published(num_bins=16, coord_shift=110, size=130, class_ids=(1, 4))
    model = build_tiny_model(vocabulary=vocabulary, categories=Categories(ids=(1, 4), names=("ant", "bee")))

    other = with_classes(model, 4, Categories(ids=(1, 2, 3, 70), names=("bee", "cow", "dog", "eel")))

    # bee keeps slot 4; cow and dog have their ids; 70 is beyond the slots, so eel has the first that is free.
    assert other.vocabulary.labels == (4, 2, 3, 1)
    for old, new in zip(rows(model), rows(other), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_convnext_can_be_adapted_to_another_canvas(build_tiny_model):
    """Its downsampling blocks are Sequentials that store the shapes of their inputs."""
    model = build_tiny_model(encoder=named_backbone("convnext_tiny", (32, 32)))

    other = with_image_size(model, (64, 96))

    assert other.encoder.grid == (4, 6)
    assert np.isfinite(other.encode(np.ones((1, 64, 96, 3), "float32"))).all()
    for old, new in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_additional_objects_copy_the_last_positions_and_other_weights_are_kept(tiny_model):
    known = np.array(tiny_model.embedding.positions)

    model = with_max_objects(tiny_model, 9)

    positions = np.array(model.embedding.positions)
    assert model.max_length == 45 and positions.shape == (45, known.shape[1])
    np.testing.assert_array_equal(positions[: len(known)], known)
    for place in range(len(known), 45):  # the same of the five tokens, of the last known object
        np.testing.assert_array_equal(positions[place], known[len(known) - 5 + place % 5])
    old, new = ([w for w in m.weights if w is not m.embedding.positions] for m in (tiny_model, model))
    for one, other in zip(old, new, strict=True):
        np.testing.assert_array_equal(one, other)


def test_fewer_objects_keep_the_first_positions(tiny_model):
    model = with_max_objects(tiny_model, 1)

    assert model.max_length == 5
    np.testing.assert_array_equal(model.embedding.positions, np.array(tiny_model.embedding.positions)[:5])


@pytest.mark.parametrize("length", [3, 7])
def test_positions_can_be_extended_from_a_length_that_is_no_multiple_of_five(build_tiny_model, length):
    model = build_tiny_model(max_length=length)
    known = np.array(model.embedding.positions)

    positions = np.array(with_max_objects(model, 3).embedding.positions)

    np.testing.assert_array_equal(positions[:length], known)
    if length == 7:
        np.testing.assert_array_equal(positions[7:15], known[[2, 3, 4, 0, 1, 2, 3, 4]])
    else:
        np.testing.assert_array_equal(positions[3:15], np.repeat(known[2:], 12, 0))


def test_a_model_adapted_to_more_objects_generates_them(tiny_model, tiny_images):
    model = with_max_objects(tiny_model, 9)

    assert model.generate(tiny_images[:1], max_objects=9)["tokens"].shape == (1, 45)


@pytest.mark.parametrize("count", [0, -1])
def test_fewer_than_one_object_is_refused(tiny_model, count):
    with pytest.raises(InputError, match=f"`max_objects` must be at least 1. Received: max_objects={count}"):
        with_max_objects(tiny_model, count)
