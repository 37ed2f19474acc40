"""Objects that are streamed one by one are those of `generate` and `detect`."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import DecodingOptions, InputError, samplers
from pix2seq_keras.models import detection, streaming
from pix2seq_keras.vocabulary import dequantize

SAMPLED = samplers.TopP(0.9)


@pytest.mark.parametrize("constrained", [True, False])
def test_the_stream_gives_the_objects_of_generate(tiny_model, tiny_images, constrained):
    options = {"sampler": SAMPLED, "seed": 7, "constrained": constrained}
    whole = tiny_model.generate(tiny_images[:1], **options)

    found = list(tiny_model.stream(tiny_images[0], **options))

    objects = whole["tokens"].numpy().reshape(4, 5)
    kept = [place for place in range(4) if whole["classes"][0, place] >= 0]
    assert [one["tokens"].tolist() for one in found] == objects[kept].tolist()
    np.testing.assert_allclose([one["score"] for one in found], whole["class_scores"].numpy()[0, kept], atol=1e-5)
    assert [one["class"] for one in found] == whole["classes"].numpy()[0, kept].tolist()
    if constrained:
        np.testing.assert_allclose(
            [one["class_probabilities"] for one in found], whole["class_probabilities"][0], atol=1e-5
        )
        np.testing.assert_allclose([one["box"] for one in found], dequantize(objects[:, :4] - 6, 16), atol=1e-6)


def test_boxes_are_relative_to_the_original_image(tiny_model):
    image = np.random.default_rng(0).integers(0, 255, (40, 20, 3), dtype=np.uint8)  # the canvas's right half is padding

    options = {"sampler": "greedy", "coordinate_window": 0.2}
    found = list(tiny_model.stream(image, **options))
    detected = tiny_model.detect(image, multi_label=False, **options)

    by_score = sorted(found, key=lambda one: -one["score"])
    np.testing.assert_allclose([one["box"] for one in by_score], detected["boxes"][0], atol=1e-5)
    np.testing.assert_allclose([one["score"] for one in by_score], detected["scores"][0], atol=1e-5)


def test_an_object_comes_before_the_next_one_is_decoded(tiny_model, tiny_images, monkeypatch):
    start, advance = tiny_model.stepwise_functions(DecodingOptions(sampler="greedy").complete(20))
    reached = []

    def watched(state, until):
        reached.append(int(until))
        return advance(state, until)

    monkeypatch.setattr(tiny_model, "stepwise_functions", lambda options: (start, watched))
    stream = tiny_model.stream(tiny_images[:1], sampler="greedy")

    next(stream)
    assert reached == [5]
    next(stream)
    assert reached == [5, 10]


def test_the_stream_ends_where_the_sequence_does(tiny_model, tiny_images):
    options = {"sampler": samplers.TopP(1.0), "stop_at_end": True, "end_bias": 2.0}
    tokens = tiny_model.generate(tiny_images, seed=np.arange(8), **options)["tokens"].numpy()
    counts = ((tokens != 0).sum(-1) // 5).tolist()

    streams = [tiny_model.stream(image, seed=row, **options) for row, image in enumerate(tiny_images)]

    assert [len(list(stream)) for stream in streams] == counts
    assert len(set(counts)) > 2


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (tf.zeros([2, 32, 32, 3]), "batch of 2"),
        (["a.png", "b.png"], "list of 2"),
        (np.zeros((30, 32, 3), np.float32), "shape"),
        ("missing.png", "missing.png"),
    ],
)
def test_what_is_not_one_image_is_refused_at_once(tiny_model, image, message):
    with pytest.raises(InputError, match=message):
        tiny_model.stream(image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "beam_search"}, "beam search knows its first object only after the last one"),
        ({"num_samples": 2}, "`stream` requires `num_samples=1`.*Received: num_samples=2"),
        ({"num_samples": 2, "flip_test": True}, "`stream` requires `num_samples=1`"),
    ],
)
def test_options_that_give_no_object_before_the_last_are_refused(tiny_model, tiny_images, options, message):
    with pytest.raises(InputError, match=message):
        tiny_model.stream(tiny_images[0], **options)


def test_streamed_objects_are_parsed_by_the_function_of_detect(tiny_model, tiny_images, monkeypatch):
    assert streaming.parse_objects is detection.parse_objects
    calls = []
    monkeypatch.setattr(streaming, "parse_objects", lambda *given: calls.append(1) or detection.parse_objects(*given))

    found = list(tiny_model.stream(tiny_images[0], sampler="greedy"))

    assert len(calls) == len(found) == 4
