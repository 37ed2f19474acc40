"""The decoder whose sequences end early."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.benchmarks.early_exit import make_early_exit_decoder
from pix2seq_keras.decoding import DecodingOptions


@pytest.mark.parametrize("jit_compile", [False, True])
def test_sequences_end_after_the_given_number_of_objects(tiny_model, tiny_images, jit_compile):
    options = DecodingOptions(sampler="greedy").complete(tiny_model.max_length)
    encoded, seeds = tiny_model.encode(tiny_images), tf.zeros([8], tf.int32)
    whole = tiny_model.generate(tiny_images, sampler="greedy")["tokens"].numpy()

    for num_objects in (1, 4):
        tokens = make_early_exit_decoder(tiny_model, options, num_objects, jit_compile)(encoded, seeds).numpy()

        np.testing.assert_array_equal(tokens, np.where(np.arange(20) < 5 * num_objects, whole, 0))
