"""The flags of `evaluate`, `predict` and `export` that say how a model reads."""

from pix2seq_keras.errors import InputError


def given(
    max_objects: int | None = None,
    sampler: str | None = None,
    top_p: float | None = None,
    constrained: bool | None = None,
    multi_label: bool | None = None,
    coordinate_window: float | None = None,
    readings: int | None = None,
    mirror: bool | None = None,
    seed: int | None = None,
):
    """The options of `detect` that a user gave; what is `None` is left to the model.

    Args:
        max_objects: objects to read out of an image; by default as many as the model can
        sampler: greedy, top_k, top_p (the default) or beam_search
        top_p: of the sampler top_p, the mass of the most likely tokens that are drawn from, above 0 to 1; 0.4 by
            default, as published. Several readings agree on more with 0.8: the more they differ, the more they tell
        constrained: whether the grammar keeps every object well-formed; the default is yes
        multi_label: whether an object that may be two things comes with both labels; by default as constrained
        coordinate_window: how far from the chosen bin, as a share of the canvas's side, bins are averaged to a
            coordinate; 0 takes the bin itself, as published, and is the default with --constrained false; else 0.02
        readings: sequences to draw of every image; scores and boxes are what they agree on. 1 by default; more find
            more, in as many times the decoding
        mirror: whether half of the readings, an even number, are of the mirrored image, which finds more again if
            the model learned from flipped images; the default is no
        seed: of the sampling; 0 by default

    Returns:
        Dictionary.

    Raises:
        InputError: as `chosen_sampler` and `checked_readings`.
    """
    options = {name: value for name, value in locals().items() if value is not None}
    if top_p is not None:
        options |= {"sampler": chosen_sampler(sampler, options.pop("top_p"))}
    if readings is not None:
        from pix2seq_keras.models.ensemble import checked_readings

        checked_readings(readings, mirror=bool(mirror))
    return options


def chosen_sampler(sampler, top_p):
    """What `--sampler` and `--top_p` say together.

    Args:
        sampler: str or `None`, a sampler's name.
        top_p: float or `None`.

    Returns:
        A sampler, its name, or `None`.

    Raises:
        InputError: if there is a p for a sampler that has none, or it is not in (0, 1].
    """
    if top_p is None:
        return sampler
    if sampler not in (None, "top_p"):
        raise InputError(
            "--top_p is a number of the sampler top_p, and of no other. "
            f"Received: --sampler {sampler} --top_p {top_p}. Leave out one of them."
        )
    from pix2seq_keras.decoding import samplers

    return samplers.TopP(top_p)
