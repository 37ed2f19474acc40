"""Finds objectives by their names, which are the names of their files. Free of TensorFlow, as recipes are."""

import importlib
import pkgutil
import sys

from pix2seq_keras.errors import InputError

DEFAULT = "maximum_likelihood"
_NOT_OBJECTIVES = ("lookup", "value")


def names():
    """The objectives of the package: sorted list of str."""
    modules = pkgutil.iter_modules(sys.modules[__package__].__path__)
    return sorted(module.name for module in modules if module.name not in _NOT_OBJECTIVES)


def check(objective):
    """Checks an objective without importing it.

    Args:
        objective: as in `get`, but not None.

    Raises:
        InputError: if it is none.
    """
    name = objective.get("name") if isinstance(objective, dict) else objective
    if not (name in names() if isinstance(name, str) else callable(name) and not isinstance(name, type)):
        raise InputError(
            f"`objective` must be one of {', '.join(names())}, a mapping with its name and parameters, or an object. "
            f"Received: objective={objective!r}."
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
    kind = getattr(importlib.import_module(f"{__package__}.{name}"), _class_name(name))
    try:
        return kind(**parameters)
    except TypeError as error:
        raise InputError(f"The objective {name} cannot be made: {error}. Received: {parameters}.") from error


def serialize(objective):
    """An objective in the form in which it is saved.

    Args:
        objective: an objective of `get`.

    Returns:
        Dictionary of the name and the parameters; for an object that is not of this package, that of Keras.
    """
    package, _, name = type(objective).__module__.rpartition(".")
    if package == __package__ and type(objective).__name__ == _class_name(name):
        return {"name": name, **objective.get_config()}

    import keras

    return keras.saving.serialize_keras_object(objective)


def _class_name(name):
    return "".join(word.capitalize() for word in name.split("_"))
