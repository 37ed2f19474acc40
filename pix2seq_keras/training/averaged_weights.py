"""Evaluating and saving the moving averages of the weights in the place of the weights."""

import contextlib

import numpy as np


@contextlib.contextmanager
def averaged_weights(model):
    """Context in which a model has the moving averages of its trained weights, if its optimizer keeps them.

    Averages of the weights of the last steps usually score higher than the weights themselves (Polyak and Juditsky
    1992). The optimizer updates them after every step. They are among its variables, so a resumed run continues them.
    Running statistics of batch normalisation are averages already and stay as they are.

    Args:
        model: compiled `Pix2Seq`.

    Example:
        >>> with averaged_weights(model):
        ...     model.save("averaged.keras")
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # of a loss-scaling optimizer
    if not getattr(optimizer, "use_ema", False) or int(optimizer.iterations) == 0:
        yield
        return
    variables = model.trainable_variables
    kept = [np.array(variable) for variable in variables]
    _assign(variables, [np.array(average) for average in optimizer._model_variables_moving_average])
    try:
        yield
    finally:
        _assign(variables, kept)


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
