"""Checks a model's configuration against its weights, before a model of that size is made."""

import contextlib
import math

import keras

from pix2seq_keras.canvas import canvas_size
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.errors import InputError
from pix2seq_keras.presets.weight_shapes import require_equal_shapes

# Each layer takes milliseconds to make, whatever its size.
_MOST_LAYERS = {"decoder_layers": 200, "num_layers": 200, "depth": 200, "widths": 20}
_MAX_PARAMETERS = 1_000_000_000  # of a model without weights; the largest published one has 340 million


def require_plausible(build, config, read_shapes=None):
    """Makes a model without its weights, and compares their shapes with those of a file.

    A configuration of a few bytes can describe a model of terabytes. Here none of its weights are allocated.

    Args:
        build: function without arguments that makes the model.
        config: the parsed configuration that it makes it of.
        read_shapes: function without arguments that returns the `weight_shapes.shapes_in_file` of the model's weights,
            or None where there are no weights: then only the number of parameters is limited.

    Raises:
        WeightsError: an `InputError`, if the shapes differ.
        InputError: if no model can be made of it.
    """
    for name, value in _values(config):
        most = _MOST_LAYERS.get(name)
        count = len(value) if isinstance(value, list) else value
        if most is not None and isinstance(count, int) and count > most:
            raise InputError(f"`{name}` must be at most {most}. Received: {name}={short_repr(value)}")
    try:
        with _no_allocation():
            model = build()
            canvas_size(tuple(model.image_size))
            if read_shapes is None:
                _require_parameters(model)
            else:
                require_equal_shapes(model, read_shapes())
    except InputError:
        raise
    except Exception as error:  # any layer may fail in its own way
        raise InputError(_reason(error)) from error


def _require_parameters(model):
    count = sum(math.prod(weight.shape) for weight in model.weights)
    if count > _MAX_PARAMETERS:
        raise InputError(f"it describes {count:,} parameters, more than {_MAX_PARAMETERS:,}")


@contextlib.contextmanager
def _no_allocation():
    """Variables that are made inside have shapes and no values, also later."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        # Keras keeps a list of variables to fill when the next such scope ends.
        from keras.src.backend.common import global_state

        global_state.set_global_attribute("uninitialized_variables", [])


def _values(config):
    """Pairs of key and value of all mappings inside, without recursion."""
    rest = [config]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            yield from value.items()
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _reason(error):
    """An exception of Keras in one line; a `KeyError` alone would be a name without a sentence."""
    text = " ".join(str(error).split())[:300]
    return text if type(error) in (ValueError, TypeError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
