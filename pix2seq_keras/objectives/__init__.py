"""Training objectives, one file each; an objective is found by the name of its file.

A file `NAME.py` defines the class `Name` in camel case. An objective is called with the model, a batch and the training
flag, and returns an `ObjectiveValue`:

    objective(model, batch, training) -> ObjectiveValue

The batch is what `model.fit` reads: (x, targets, token weights). The class has an attribute `metric_names`, the names
of the metrics it returns, and `get_config()`, its parameters. The training step does the rest: it normalises the loss
over all replicas, computes gradients and updates the metrics, see `models.training_step`.
"""

import importlib
import pkgutil
import sys

from pix2seq_keras.errors import InputError

DEFAULT = "maximum_likelihood"
_NOT_OBJECTIVES = ("value",)


def names():
    """The objectives of the package: sorted list of str."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _NOT_OBJECTIVES)


def check(objective):
    """Checks the name of an objective without importing it.

    Args:
        objective: see `get`.

    Raises:
        InputError: if the name is unknown.
    """
    name = objective.get("name") if isinstance(objective, dict) else objective
    if not (name in names() if isinstance(name, str) else callable(name)):
        raise InputError(
            f"`objective` must be one of {', '.join(names())}, a mapping with its name and parameters, or an object. "
            f"Received: objective={objective!r}"
        )


def get(objective):
    """Resolves an objective.

    Args:
        objective: str, a name of `names()`; a dict of `"name"` and the objective's parameters; an objective; or None
            for maximum likelihood.

    Returns:
        The objective.

    Raises:
        InputError: if the name or a parameter is unknown.

    Example:
        >>> get("maximum_likelihood").metric_names
        ('accuracy',)
    """
    objective = DEFAULT if objective is None else objective
    check(objective)
    if callable(objective):
        return objective
    parameters = dict(objective) if isinstance(objective, dict) else {"name": objective}
    name = parameters.pop("name")
    kind = getattr(importlib.import_module(f"{__name__}.{name}"), _class_name(name))
    try:
        return kind(**parameters)
    except TypeError as error:
        raise InputError(f"The objective {name} cannot be made: {error}. Received: {parameters}") from error


def serialize(objective):
    """An objective as it is saved: the mapping of its name and parameters, or Keras's form of a foreign object."""
    room, _, name = type(objective).__module__.rpartition(".")
    if room == __name__ and type(objective).__name__ == _class_name(name):
        return {"name": name, **objective.get_config()}
    return sys.modules["keras"].saving.serialize_keras_object(objective)  # it was compiled, so Keras is there


def _class_name(name):
    return "".join(word.capitalize() for word in name.split("_"))
