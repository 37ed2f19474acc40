"""The flags of `evaluate` and `predict` that say how a model reads."""


def given(**options):
    """The options of `detect` that a user gave; what is `None` is left to the model: dictionary."""
    return {name: value for name, value in options.items() if value is not None}
