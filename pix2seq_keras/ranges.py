"""Checks of numbers that users give, before any work begins. Free of TensorFlow."""

import numbers

from pix2seq_keras.errors import InputError


def require_count(name, value, optional=False):
    """Checks a number of things.

    Args:
        name: str, the argument in messages.
        value: what was given for it.
        optional: bool, whether None passes.

    Raises:
        InputError: if it is not a whole number of at least 1.

    Example:
        >>> require_count("batch_size", 8)
    """
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise InputError(f"`{name}` must be at least 1. Received: {name}={value!r}")


def require_share(name, value, optional=False):
    """Checks a number in [0, 1], such as a score.

    Args:
        name: str, the argument in messages.
        value: what was given for it.
        optional: bool, whether None passes.

    Raises:
        InputError: if it is not such a number.

    Example:
        >>> require_share("threshold", 0.5)
    """
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value <= 1:
        raise InputError(f"`{name}` must be between 0 and 1. Received: {name}={value!r}")
