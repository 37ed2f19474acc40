"""The baselines decode the same tokens as the model."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.benchmarks.baselines import make_plain_decoder, make_uncached_step
from pix2seq_keras.decoding import DecodingOptions


def test_the_plain_baseline_decodes_the_same_tokens_as_the_model(build_tiny_model, tiny_images):
    model = build_tiny_model(3, decoder_layers=2)
    expected = model.generate(tiny_images, sampler="greedy", constrained=False)["tokens"].numpy()
    encoded, seeds = model.encode(tiny_images), tf.zeros([8], tf.int32)

    options = DecodingOptions(max_objects=4, sampler="greedy", constrained=False).complete(model.max_length)
    plain = make_plain_decoder(model, options)

    np.testing.assert_array_equal(plain(encoded, seeds, 20), expected)
    np.testing.assert_array_equal(plain(encoded, seeds, 7), np.where(np.arange(20) < 7, expected, 0))


def test_an_uncached_step_gives_the_next_token(tiny_model, tiny_images):
    expected = tiny_model.generate(tiny_images, sampler="greedy", constrained=False)["tokens"].numpy()
    encoded, step = tiny_model.encode(tiny_images), make_uncached_step(tiny_model)

    for length in (1, 9):
        tokens = np.concatenate([np.ones((8, 1), np.int32), expected[:, : length - 1]], 1)
        np.testing.assert_array_equal(step(encoded, tokens).numpy().argmax(-1), expected[:, length - 1])
