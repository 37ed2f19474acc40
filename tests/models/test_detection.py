"""From images of any size to boxes on those images."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras import InputError, Pix2Seq
from pix2seq_keras.sequences import serialize

WIDE = np.full((16, 32, 3), 200, np.uint8)  # 2:1; it fills the upper half of the canvas of 32×32
TALL = np.full((96, 48, 3), 100, np.uint8)  # 1:2; the left half


@pytest.fixture
def reads(monkeypatch, tiny_vocabulary):
    """A function (boxes of the canvas (n, 4), classes, scores): from then on every image is read as these."""
    calls = []

    def fix(boxes, classes, scores):
        labels = np.arange(tiny_vocabulary.num_classes)
        probabilities = tf.constant(np.equal.outer(classes, labels) * np.reshape(scores, (-1, 1)), tf.float32)  # (n, K)
        tokens = serialize(np.array(boxes, np.float32), np.maximum(classes, 0), tiny_vocabulary).numpy()

        def generate(model, images, **options):
            calls.append((np.asarray(images), options))
            rows = lambda values, dtype: tf.constant(np.tile(values, (len(images), 1)), dtype)
            return {
                "tokens": rows(tokens, tf.int32),
                "coordinates": tf.tile(tf.constant([boxes], tf.float32), [len(images), 1, 1]),
                "classes": rows(classes, tf.int32),
                "class_scores": rows(scores, tf.float32),
                "class_probabilities": tf.tile(probabilities[None], [len(images), 1, 1]),
            }

        monkeypatch.setattr(Pix2Seq, "generate", generate)
        return calls

    return fix


BOX = [3 / 15, 6 / 15, 6 / 15, 12 / 15]  # exactly on bins


def test_boxes_come_back_in_the_frame_of_a_wide_image(tiny_model, reads):
    calls = reads([BOX], [1], [0.5])

    found = tiny_model.detect(WIDE)

    np.testing.assert_allclose(found["boxes"], [[[0.4, 0.4, 0.8, 0.8]]], atol=1e-6)
    canvas = calls[0][0][0]
    np.testing.assert_allclose(canvas[:16], 200 / 255, atol=1e-6)
    np.testing.assert_allclose(canvas[16:], 0.3, atol=1e-6)


def test_images_of_one_list_have_frames_of_their_own(tiny_model, reads):
    reads([BOX], [1], [0.5])

    found = tiny_model.detect([WIDE, TALL, np.zeros((7, 7, 3), np.uint8)])

    expected = [[0.4, 0.4, 0.8, 0.8], [0.2, 0.8, 0.4, 1.0], BOX]  # the tall one's right edge is beyond the image
    np.testing.assert_allclose(found["boxes"][:, 0], expected, atol=1e-6)


def test_a_float_batch_is_its_own_frame(tiny_model, reads, tiny_images):
    calls = reads([BOX], [1], [0.5])

    found = tiny_model.detect(tiny_images[:3], batch_size=2, sampler="greedy", max_objects=1)

    np.testing.assert_allclose(found["boxes"], np.tile(BOX, (3, 1, 1)), atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([images for images, _ in calls]), tiny_images[:3])
    assert [len(images) for images, _ in calls] == [2, 1]
    assert calls[0][1].items() >= {"sampler": "greedy", "max_objects": 1}.items()


def test_objects_are_sorted_by_score_and_unused_rows_come_last(tiny_model, reads):
    boxes = [[0, 0, (i + 1) / 15, 1] for i in range(5)]
    reads(boxes, [0, -1, 2, 1, 2], [0.3, 0.95, 0.3, 0.9, 0.1])

    found = tiny_model.detect(np.zeros((32, 32, 3), np.uint8))

    assert found["classes"].tolist() == [[1, 0, 2, 2, -1]]
    np.testing.assert_allclose(found["scores"], [[0.9, 0.3, 0.3, 0.1, 0.0]])
    np.testing.assert_allclose(found["boxes"][0, :, 2], [4 / 15, 1 / 15, 3 / 15, 5 / 15, 0], atol=1e-6)
    assert found["num_detections"].tolist() == [4]


@pytest.mark.parametrize("options", [{"multi_label": False}, {"constrained": False}])
def test_an_object_may_be_given_its_best_class_only(tiny_model, reads, options):
    reads([BOX, BOX], [1, 2], [0.5, 0.75])

    found = tiny_model.detect(WIDE, **options)

    assert found["classes"].tolist() == [[2, 1]]
    np.testing.assert_allclose(found["scores"], [[0.75, 0.5]])


def test_several_labels_are_the_pairs_of_the_models_probabilities(tiny_model, tiny_images):
    read = tiny_model.generate(tiny_images, sampler="greedy")

    found = tiny_model.detect(tiny_images, sampler="greedy", multi_label=True)

    probabilities = read["class_probabilities"].numpy()
    best = -np.sort(-probabilities.reshape(8, -1), axis=1)[:, :4]
    np.testing.assert_allclose(found["scores"], best, atol=1e-6)
    assert (probabilities.sum(-1) < 1).all()
    single = tiny_model.detect(tiny_images, sampler="greedy", multi_label=False)
    np.testing.assert_allclose(single["scores"], -np.sort(-read["class_scores"].numpy(), axis=1), atol=1e-6)
    np.testing.assert_allclose(read["class_scores"], probabilities.max(-1), atol=1e-6)


def test_several_labels_need_the_grammar(tiny_model, tiny_images):
    with pytest.raises(InputError, match="multi_label=True, constrained=False"):
        tiny_model.detect(tiny_images, multi_label=True, constrained=False)


def test_paths_arrays_and_single_images_are_found_alike(tiny_model, tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    path = tmp_path / "image.png"
    Image.fromarray(image).save(path)
    options = {"sampler": "greedy", "max_objects": 2}

    by_array, *others = (
        tiny_model.detect(images, **options) for images in (image, path, str(path), [path], [image], (image,))
    )

    assert by_array["boxes"].shape == (1, 2, 4)
    assert {name: value.dtype for name, value in by_array.items()} == {
        "boxes": np.float32, "classes": np.int32, "scores": np.float32, "num_detections": np.int32
    }  # fmt: skip
    for found in others:
        for name, value in by_array.items():
            np.testing.assert_array_equal(found[name], value)


def test_the_size_of_batches_does_not_matter(tiny_model):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (rng.integers(8, 60), rng.integers(8, 60), 3), dtype=np.uint8) for _ in range(5)]

    for seed in (3, np.arange(5)):
        whole, parts = (tiny_model.detect(images, batch_size=size, seed=seed) for size in (8, 2))
        for name, value in whole.items():
            np.testing.assert_allclose(parts[name], value, atol=1e-5)
    assert whole["boxes"].shape == (5, 4, 4)
    assert ((whole["boxes"] >= 0) & (whole["boxes"] <= 1)).all()


def test_what_is_no_image_is_explained(tiny_model, tmp_path):
    (tmp_path / "text.jpg").write_text("no image")

    with pytest.raises(InputError, match=r"There is no image .*missing.png"):
        tiny_model.detect([tmp_path / "missing.png"])
    with pytest.raises(InputError, match=r"text.jpg"):
        tiny_model.detect(tmp_path / "text.jpg")
    with pytest.raises(InputError, match="the list is empty"):
        tiny_model.detect([])
    with pytest.raises(InputError, match="must be uint8"):
        tiny_model.detect(np.zeros((20, 30, 3), np.float32))
    with pytest.raises(InputError, match=r"shape \(B, 32, 32, 3\)"):
        tiny_model.detect(np.zeros((2, 20, 30, 3), np.float32))


@pytest.mark.parametrize("batch_size", [0, -2])
def test_a_batch_has_at_least_one_image(tiny_model, batch_size):
    with pytest.raises(InputError, match=f"batch_size must be at least 1.*batch_size={batch_size}"):
        tiny_model.detect(WIDE, batch_size=batch_size)


def test_there_is_a_seed_for_every_image_or_one_for_all(tiny_model):
    with pytest.raises(InputError, match=r"one seed, or one for each of the 3 images.*2"):
        tiny_model.detect([WIDE] * 3, seed=[1, 2])


@pytest.mark.parametrize("as_batch", [False, True])
def test_compiled_batches_are_all_of_one_size_and_find_the_same(tiny_model, tiny_images, as_batch):
    images = tiny_images[:7] if as_batch else list((tiny_images[:7] * 255).astype(np.uint8))
    options = {"batch_size": 3, "seed": np.arange(7)}
    sizes = []
    generate = Pix2Seq.generate

    def watched(model, images, **options):
        sizes.append((len(images), options["jit_compile"]))
        return generate(model, images, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pix2Seq, "generate", watched)
        compiled = tiny_model.detect(images, jit_compile=True, **options)
        plain = tiny_model.detect(images, **options)  # seven images do not repay compilation

    assert sizes == [(3, True)] * 3 + [(3, False), (3, False), (1, False)]
    for name, values in plain.items():
        np.testing.assert_allclose(compiled[name], values, atol=1e-4, err_msg=name)


def test_compilation_is_repaid_by_long_runs_only(tiny_model):
    assert not tiny_model.repays_compilation(199)  # of 20 tokens each
    assert tiny_model.repays_compilation(200)
    assert tiny_model.repays_compilation(400, max_objects=2)
