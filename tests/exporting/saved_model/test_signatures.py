"""The signatures as functions, without a file: several samples, other defaults, and the one graph behind all."""

import pytest
import tensorflow as tf

from pix2seq_keras import DecodingOptions, samplers
from pix2seq_keras.exporting.saved_model import signatures as module
from pix2seq_keras.exporting.saved_model.signatures import make_signatures
from pix2seq_keras.models import detection

MAX_PIXELS = 10_000


def traced(model, **parameters):
    """The signatures as TensorFlow functions, each traced at its first call."""
    names = ("default", "cross_attention")
    more = {name: parameters.pop(name) for name in names if name in parameters}
    options = DecodingOptions(**parameters).complete(model.max_length)
    made = make_signatures(model, options, MAX_PIXELS, **more)
    return {name: tf.function(one.function, one.inputs, autograph=False) for name, one in made.items()}


@pytest.mark.parametrize("options", [{"num_samples": 3}, {"num_samples": 4, "flip_test": True}], ids=str)
def test_several_samples_are_merged_inside_the_graph(model, images, png, assert_equals_detect, options):
    options = {**options, "max_objects": 2, "sampler": samplers.TopP(1.0)}  # so that another seed would show
    signatures = traced(model, **options)

    answer = signatures["serving_default"](tf.constant([png(image) for image in images]))

    assert_equals_detect(answer, model.detect(images, **options))
    assert answer["detection_boxes"].shape == (3, 2 * options["num_samples"], 4)
    row = tf.constant([0]), tf.constant([0.4]), tf.constant([1.0])
    sampled = signatures["sample"](tf.constant([png(images[0])]), *row)
    assert sampled["tokens"].shape == (1, 10)  # one sequence for each row


def test_the_default_signature_can_take_tensors_and_decode_the_published_way(model, images, png, assert_equals_detect):
    options = {"constrained": False, "max_objects": 2, "sampler": "greedy"}
    signatures = traced(model, default="tensor", **options)
    expected = model.detect(images[:1], **options)

    assert set(signatures) == {"serving_default", "tensor", "image_bytes", "sample"}
    assert_equals_detect(signatures["serving_default"](tf.constant(images[0][None])), expected)
    assert_equals_detect(signatures["image_bytes"](tf.constant([png(images[0])])), expected)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 0\.01 million pixels"):
        signatures["tensor"](tf.zeros([1, 100, 101, 3], tf.uint8))


def test_the_default_signature_takes_encoded_images_and_cross_attention_is_optional(tiny_model):
    assert set(traced(tiny_model)) == {"serving_default", "tensor", "sample"}
    assert set(traced(tiny_model, cross_attention=True)) == {"serving_default", "tensor", "sample", "cross_attention"}


class TracedError(Exception):
    """Raised in place of the graph."""


@pytest.mark.parametrize("name", ["serving_default", "tensor", "image_bytes", "sample", "cross_attention"])
def test_every_signature_is_the_graph_of_detect(tiny_model, monkeypatch, name):
    def stop(*arguments, **more):
        raise TracedError

    assert module.detect_on_canvases is detection.detect_on_canvases
    monkeypatch.setattr(module, "detect_on_canvases", stop)

    with pytest.raises(TracedError):
        traced(tiny_model, default="tensor", cross_attention=True)[name].get_concrete_function()
