"""Weights that are not finite are found."""

import numpy as np
import pytest

from pix2seq_keras.models.finite_weights import first_weight_that_is_not_finite


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_the_first_weight_with_such_a_number_is_named(build_tiny_model, number):
    model = build_tiny_model(seed=0)
    weight = model.decoder.blocks[0].mlp.hidden.bias
    weight.assign(np.where(np.arange(32) == 5, number, weight))

    assert first_weight_that_is_not_finite(model) == weight.path


def test_finite_weights_pass_even_if_their_sum_overflows_or_they_are_integers(build_tiny_model):
    model = build_tiny_model(seed=0)
    model.embedding.output_bias.assign(np.full(22, 3e38))
    assert first_weight_that_is_not_finite(model) is None

    model.quantize("int8")
    assert first_weight_that_is_not_finite(model) is None
