"""Finds weights that are not finite: a model with one of them detects nothing, without a word."""

import keras
import numpy as np


def first_weight_that_is_not_finite(model):
    """The path of the first weight with NaN or infinity.

    Args:
        model: `keras.Model`.

    Returns:
        str, or None if all weights are finite.
    """
    for weight in model.weights:
        values = keras.ops.convert_to_tensor(weight)
        if "int" in keras.backend.standardize_dtype(values.dtype):
            continue
        # A sum needs no mask of the weight's size. Large numbers can overflow it, so the mask decides then.
        if not np.isfinite(float(keras.ops.sum(values))) and not bool(keras.ops.all(keras.ops.isfinite(values))):
            return weight.path
    return None
