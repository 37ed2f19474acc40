"""The flags of `evaluate` and `predict` that say how a model reads."""


def given(
    max_objects: int | None = None,
    sampler: str | None = None,
    constrained: bool | None = None,
    multi_label: bool | None = None,
    coordinate_window: float | None = None,
    readings: int | None = None,
    mirror: bool | None = None,
    seed: int | None = None,
):
    """The options of `detect` that a user gave; what is `None` is left to the model.

    Args:
        max_objects: objects to read out of a picture; by default as many as the model can
        sampler: greedy, top_k, top_p (the default) or beam_search
        constrained: whether the grammar keeps every object well-formed; the default is yes
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        coordinate_window: how far from the chosen bin, as a share of the canvas's side, bins are averaged to a
            coordinate; 0 takes the bin itself, as published, and is the default with --constrained false; else 0.02
        readings: sequences to draw of every picture; scores and boxes are what they agree on. 1 by default; more find
            more, in as many times the decoding
        mirror: whether half of the readings, an even number, are of the mirrored picture, which finds more again if
            the model learned from flipped pictures; the default is no
        seed: of the sampling; 0 by default

    Returns:
        Dictionary.
    """
    return {name: value for name, value in locals().items() if value is not None}
