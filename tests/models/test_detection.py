"""From images of any size to boxes on those images."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras import DecodingOptions, InputError, Pix2Seq
from pix2seq_keras.models import detection
from pix2seq_keras.models.detection import OUTPUTS, detect_batches, detect_on_canvases
from pix2seq_keras.sequences import serialize

WIDE = np.full((16, 32, 3), 200, np.uint8)  # 2:1; it fills the upper half of the canvas of 32×32
TALL = np.full((96, 48, 3), 100, np.uint8)  # 1:2; the left half


@pytest.fixture
def fix_sequences(monkeypatch, tiny_vocabulary):
    """A function (boxes of the canvas (n, 4), classes, scores): `detect` then decodes these from every image.

    It returns the list of calls of the detector: pairs of the canvases and the options.
    """
    calls = []

    def fix(boxes, classes, scores):
        labels = np.arange(tiny_vocabulary.num_classes)
        probabilities = np.equal.outer(classes, labels) * np.reshape(scores, (-1, 1))  # (n, K)
        tokens = serialize(np.array(boxes, np.float32), np.maximum(classes, 0), tiny_vocabulary).numpy()
        rows = {
            "tokens": tokens.astype(np.int32),
            "coordinates": np.float32(boxes),
            "classes": np.int32(classes),
            "class_scores": np.float32(scores),
            "class_probabilities": np.float32(probabilities),
        }

        def detector_function(model, options, jit_compile):
            def decode(encoded, seeds):
                return {name: tf.stack([values] * len(seeds)) for name, values in rows.items()}

            def detector(canvases, unpadded, seeds):
                calls.append((canvases.numpy(), options))
                same = lambda canvases: canvases
                _, objects = detect_on_canvases(model, options, canvases, unpadded, seeds, same, decode)
                return {name: objects[name] for name in OUTPUTS}

            return detector

        monkeypatch.setattr(Pix2Seq, "detector_function", detector_function)
        return calls

    return fix


BOX = [3 / 15, 6 / 15, 6 / 15, 12 / 15]  # exactly on bins


def test_boxes_come_back_in_the_frame_of_a_wide_image(tiny_model, fix_sequences):
    calls = fix_sequences([BOX], [1], [0.5])

    found = tiny_model.detect(WIDE)

    np.testing.assert_allclose(found["boxes"], [[[0.4, 0.4, 0.8, 0.8]]], atol=1e-6)
    canvas = calls[0][0][0]
    np.testing.assert_allclose(canvas[:16], 200 / 255, atol=1e-6)
    np.testing.assert_allclose(canvas[16:], 0.3, atol=1e-6)


def test_every_image_of_a_list_has_its_own_frame(tiny_model, fix_sequences):
    fix_sequences([BOX], [1], [0.5])

    found = tiny_model.detect([WIDE, TALL, np.zeros((7, 7, 3), np.uint8)])

    expected = [[0.4, 0.4, 0.8, 0.8], [0.2, 0.8, 0.4, 1.0], BOX]  # the tall image's right edge is clipped
    np.testing.assert_allclose(found["boxes"][:, 0], expected, atol=1e-6)


def test_a_float_batch_is_its_own_frame(tiny_model, fix_sequences, tiny_images):
    calls = fix_sequences([BOX], [1], [0.5])

    found = tiny_model.detect(tiny_images[:3], batch_size=2, sampler="greedy", max_objects=1)

    np.testing.assert_allclose(found["boxes"], np.tile(BOX, (3, 1, 1)), atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([canvases for canvases, _ in calls]), tiny_images[:3])
    assert [len(canvases) for canvases, _ in calls] == [2, 1]
    assert calls[0][1] == DecodingOptions(sampler="greedy", max_objects=1).complete(20)


def test_objects_are_sorted_by_score_and_unused_rows_come_last(tiny_model, fix_sequences):
    boxes = [[0, 0, (i + 1) / 15, 1] for i in range(5)]
    fix_sequences(boxes, [0, -1, 2, 1, 2], [0.3, 0.95, 0.3, 0.9, 0.1])

    found = tiny_model.detect(np.zeros((32, 32, 3), np.uint8))

    assert found["classes"].tolist() == [[1, 0, 2, 2, -1]]
    np.testing.assert_allclose(found["scores"], [[0.9, 0.3, 0.3, 0.1, 0.0]])
    np.testing.assert_allclose(found["boxes"][0, :, 2], [4 / 15, 1 / 15, 3 / 15, 5 / 15, 0], atol=1e-6)
    assert found["num_detections"].tolist() == [4]


@pytest.mark.parametrize("options", [{"multi_label": False}, {"constrained": False}])
def test_without_several_labels_an_object_has_its_best_class(tiny_model, fix_sequences, options):
    fix_sequences([BOX, BOX], [1, 2], [0.5, 0.75])

    found = tiny_model.detect(WIDE, **options)

    assert found["classes"].tolist() == [[2, 1]]
    np.testing.assert_allclose(found["scores"], [[0.75, 0.5]])


def test_several_labels_are_the_best_pairs_of_object_and_class(tiny_model, tiny_images):
    sequences = tiny_model.generate(tiny_images, sampler="greedy")

    found = tiny_model.detect(tiny_images, sampler="greedy", multi_label=True)

    probabilities = sequences["class_probabilities"].numpy()
    best = -np.sort(-probabilities.reshape(8, -1), axis=1)[:, :4]
    np.testing.assert_allclose(found["scores"], best, atol=1e-6)
    assert (probabilities.sum(-1) < 1).all()
    single = tiny_model.detect(tiny_images, sampler="greedy", multi_label=False)
    np.testing.assert_allclose(single["scores"], -np.sort(-sequences["class_scores"].numpy(), axis=1), atol=1e-6)
    np.testing.assert_allclose(sequences["class_scores"], probabilities.max(-1), atol=1e-6)


def test_paths_arrays_and_single_images_give_the_same(tiny_model, tmp_path):
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


def test_what_is_not_an_image_is_refused(tiny_model, tmp_path):
    (tmp_path / "text.jpg").write_text("no image")

    with pytest.raises(InputError, match=r"There is no image .*missing.png"):
        tiny_model.detect([tmp_path / "missing.png"])
    with pytest.raises(InputError, match=r"text.jpg"):
        tiny_model.detect(tmp_path / "text.jpg")
    with pytest.raises(InputError, match="`images` must hold at least one image"):
        tiny_model.detect([])
    with pytest.raises(InputError, match="must be uint8"):
        tiny_model.detect(np.zeros((20, 30, 3), np.float32))
    with pytest.raises(InputError, match=r"shape \(B, 32, 32, 3\)"):
        tiny_model.detect(np.zeros((2, 20, 30, 3), np.float32))


@pytest.mark.parametrize("batch_size", [0, -2])
def test_a_batch_has_at_least_one_image(tiny_model, batch_size):
    with pytest.raises(InputError, match=f"`batch_size` must be at least 1. Received: batch_size={batch_size}"):
        tiny_model.detect(WIDE, batch_size=batch_size)


def test_there_is_a_seed_for_every_image_or_one_for_all(tiny_model):
    with pytest.raises(InputError, match=r"one seed for each of the 3 images.*2"):
        tiny_model.detect([WIDE] * 3, seed=[1, 2])


@pytest.fixture
def watched_sizes(monkeypatch):
    """The list of the batch sizes that go through detectors, and whether these were compiled by XLA."""
    sizes, detector_function = [], Pix2Seq.detector_function

    def watched(model, options, jit_compile=False):
        detector = detector_function(model, options, jit_compile)
        return lambda canvases, *rest: sizes.append((len(canvases), jit_compile)) or detector(canvases, *rest)

    monkeypatch.setattr(Pix2Seq, "detector_function", watched)
    return sizes


def test_compiled_batches_are_all_of_one_size_and_give_the_same(tiny_model, tiny_images, watched_sizes):
    arrays, options = list((tiny_images[:7] * 255).astype(np.uint8)), {"batch_size": 3, "seed": np.arange(7)}

    for images in (arrays, tiny_images[:7]):
        plain = tiny_model.detect(images, **options)  # seven images do not repay compilation
        compiled = tiny_model.detect(images, jit_compile=True, **options)

        for name, values in plain.items():
            np.testing.assert_allclose(compiled[name], values, atol=1e-4, err_msg=name)
    assert watched_sizes == 2 * [(3, False), (3, False), (1, False), (3, True), (3, True), (3, True)]


def test_one_short_batch_is_not_filled(tiny_model, tiny_images, watched_sizes, monkeypatch):
    monkeypatch.setattr(tiny_model, "_functions", {})
    make = detection.make_detector
    monkeypatch.setattr(detection, "make_detector", lambda model, options, jit_compile: make(model, options, False))

    tiny_model.detect(tiny_images[:2], batch_size=3, jit_compile=True)

    assert watched_sizes == [(2, True)]


@pytest.mark.parametrize(("num_images", "compiled"), [(None, False), (500, False), (600, True)])
def test_a_long_run_is_compiled_unless_the_caller_decides(tiny_model, monkeypatch, num_images, compiled):
    chosen, options = [], DecodingOptions().complete(20)
    monkeypatch.setattr(Pix2Seq, "detector_function", lambda model, options, jit_compile: chosen.append(jit_compile))

    for jit_compile in (None, False, True):
        list(detect_batches(tiny_model, [], options, 3, num_images, jit_compile, []))

    assert chosen == [compiled, False, True]


def test_detecting_image_by_image_gives_the_rows_of_detect(tiny_model, tiny_images):
    images = [(image * 255).astype(np.uint8)[: 10 + 3 * row] for row, image in enumerate(tiny_images[:5])]
    taken = []

    rows = tiny_model.detect_each(
        (taken.append(row) or image for row, image in enumerate(images)), batch_size=2, seed=3
    )

    first = next(rows)
    assert taken == [0, 1]
    together = tiny_model.detect(images, seed=3)
    for row, objects in enumerate([first, *rows]):
        for name, values in objects.items():
            np.testing.assert_allclose(values, together[name][row], atol=1e-5)


def test_every_form_of_image_and_every_iterable_gives_the_same(tiny_model, tmp_path):
    Image.fromarray(WIDE).save(tmp_path / "wide.png")
    path = tmp_path / "wide.png"
    expected = tiny_model.detect([WIDE, WIDE], sampler="greedy")

    with path.open("rb") as file:
        for images in (
            [path, np.str_(path)],
            (path for _ in range(2)),
            [file, io.BytesIO(path.read_bytes())],
            [Image.open(path), Image.fromarray(WIDE)],
            np.stack([WIDE, WIDE]),
            np.array([str(path)] * 2),
        ):
            for name, values in tiny_model.detect(images, sampler="greedy").items():
                np.testing.assert_array_equal(values, expected[name])
    (one,) = tiny_model.detect_each(str(path), sampler="greedy")
    np.testing.assert_array_equal(one["boxes"], expected["boxes"][0])


@pytest.mark.parametrize("images", [{"images": [WIDE]}, [{"image": WIDE}]])
def test_what_is_no_image_is_refused_by_name(tiny_model, images):
    with pytest.raises(InputError, match="Received: a dict"):
        tiny_model.detect(images)


def test_detections_below_the_threshold_are_dropped(tiny_model, fix_sequences):
    fix_sequences([BOX, [0, 0, 1, 1]], [1, 2], [0.75, 0.5])

    found = tiny_model.detect([WIDE], threshold=0.75)
    (each,) = tiny_model.detect_each([WIDE], threshold=0.75)

    np.testing.assert_array_equal(found["classes"], [[1, -1]])
    np.testing.assert_array_equal(found["scores"], [[0.75, 0]])
    np.testing.assert_array_equal(found["num_detections"], [1])
    assert not found["boxes"][0, 1].any() and found["boxes"].shape == (1, 2, 4)
    assert {name: values.dtype for name, values in found.items()} == {
        name: values.dtype for name, values in tiny_model.detect([WIDE]).items()
    }
    for name, values in each.items():
        np.testing.assert_array_equal(values, found[name][0])
